import { describe, expect, it } from 'vitest'
import { isWithin, outage } from '../../../services/cli/replay/incidents.ts'
import { sampleCalls, type SampleCall } from './sample-calls.ts'

const calls = sampleCalls()
const isHit = ({ facts }: SampleCall) => facts.errorType === outage.error.type

describe('isWithin', () => {
  it.each([
    [19.999, false],
    [20, true],
    [31.999, true],
    [32, false],
  ])('says of minute %d of a stretch from 20 to 32: %s', (minute, expected) => {
    expect(isWithin(minute, { fromMinute: 20, toMinute: 32 })).toBe(expected)
  })
})

describe('The outage', () => {
  it('hits a share of the calls that its provider gets meanwhile, and no others', () => {
    const exposed = calls.filter(
      ({ facts, minute }) => facts.provider === 'anthropic' && isWithin(minute, outage),
    )
    expect(exposed.length).toBeGreaterThan(1000)
    const hit = exposed.filter(isHit)
    expect(Math.abs(hit.length / exposed.length - 0.35)).toBeLessThan(0.03)
    expect(calls.filter(isHit)).toEqual(hit)
  })

  it('ends its calls at once, without answer and usage', () => {
    for (const { span } of calls.filter(isHit)) {
      expect(span.attributes).toMatchObject({
        'error.type': 'overloaded_error',
        'http.response.status_code': 529,
      })
      expect(span.attributes).not.toHaveProperty('gen_ai.usage.input_tokens')
      expect(span.attributes).not.toHaveProperty('gen_ai.response.id')
      expect(Number(span.endNs - span.startNs)).toBeLessThan(3e9)
    }
  })
})

describe('Error rates over ten minutes', () => {
  const windows = [...Map.groupBy(calls, ({ facts }) => facts.model)].flatMap(([model, own]) =>
    Array.from({ length: 49 }, (_, step) => {
      const to = step + 10
      const within = own.filter(({ endMinute }) => endMinute >= to - 10 && endMinute < to)
      const failed = within.filter(({ facts }) => facts.errorType !== undefined)
      return { model, to, calls: within.length, rate: failed.length / within.length }
    }),
  )
  const high = windows.filter(({ rate }) => rate > 0.05)

  it('are above 5 % in the outage, for the models of its provider and no others', () => {
    for (const model of ['claude-haiku-4-5', 'claude-sonnet-4-5']) {
      const own = high.filter((window) => window.model === model)
      const [first] = own
      expect(first?.to).toBeLessThanOrEqual(22)
      // Without a gap: one incident, not several.
      expect(own.map(({ to }) => to - (first?.to ?? 0))).toEqual([...own.keys()])
      expect(own.length).toBeGreaterThan(15)
      expect(Math.min(...own.map((window) => window.calls))).toBeGreaterThan(300)
    }
    expect(new Set(high.map(({ model }) => model)).size).toBe(2)
  })

  it('are usual again before the sample ends', () => {
    expect(Math.max(...high.map(({ to }) => to))).toBeLessThan(43)
  })
})
