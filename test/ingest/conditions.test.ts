import { describe, expect, test } from 'vitest'
import { compileConditions, type Facts } from '../../services/ingest/conditions.ts'

const facts: Facts = {
  attribute: (key) => ({ 'ai.model.provider': 'anthropic.messages', agent: 'ai/5.0.12 x' })[key],
  resource: (key) => ({ 'telemetry.sdk.name': 'openlit' })[key],
  field: (name) => ({ provider: 'anthropic' })[name],
  scopeName: '@traceloop/instrumentation-openai',
  scopeVersion: '0.14.2',
}

describe('A condition', () => {
  test.each([
    [{ attribute: 'agent' }, true],
    [{ attribute: 'missing' }, false],
    [{ attribute: 'ai.model.provider', prefix: 'anthropic' }, true],
    [{ attribute: 'ai.model.provider', prefix: 'openai' }, false],
    [{ attribute: 'ai.model.provider', contains: 'messages' }, true],
    [{ attribute: 'ai.model.provider', is: ['a', 'anthropic.messages'] }, true],
    [{ attribute: 'ai.model.provider', is: ['anthropic'] }, false],
    [{ attribute: 'agent', version: '>=5 <6' }, true],
    [{ attribute: 'agent', version: '<5' }, false],
    [{ attribute: 'ai.model.provider', version: '>=0' }, false],
    [{ resource: 'telemetry.sdk.name', is: ['openlit'] }, true],
    [{ field: 'provider', is: ['anthropic'] }, true],
    [{ field: 'request_model' }, false],
    [{ scope: '@traceloop/' }, true],
    [{ scope: 'openlit' }, false],
    [{ scope: '@traceloop/', version: '<0.15' }, true],
    [{ scope: '@traceloop/', version: '>0.14.2' }, false],
    [{ scope: '@traceloop/', version: '>=0.14.2' }, true],
    [{ scope: '@traceloop/', version: '=0.14.2' }, true],
  ])('%o is %s', (condition, holds) => {
    expect(compileConditions([condition])(facts)).toBe(holds)
  })
})

test('Of several conditions all must hold; of none, nothing is asked', () => {
  expect(compileConditions([{ attribute: 'agent' }, { attribute: 'missing' }])(facts)).toBe(false)
  expect(compileConditions([])(facts)).toBe(true)
})

test.each(['5', '~5', '>=x', ''])('A version that cannot be compared is refused: %o', (version) => {
  expect(() => compileConditions([{ scope: 'a', version }])).toThrow(
    `a version is compared as in '>=5 <6.1.0', not as in '${version}'`,
  )
})
