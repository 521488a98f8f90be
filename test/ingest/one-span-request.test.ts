import { expect, test } from 'vitest'
import { ContextBudget, JsonText, oneSpanJson } from '../../services/ingest/one-span-request.ts'
import { otlpRequest } from '../support/otlp-proto.ts'
import { transcoder } from '../support/spans.ts'
import { decodeRequest } from './otlp-samples.ts'

const MIB = 1024 * 1024

test('Resources of refused spans are kept up to a limit, and every span is', () => {
  const resource = [['service.name', 'x'.repeat(MIB)]] as const
  const spans = Array.from({ length: 12 }, (_, i) => ({ name: `${i}`, spanId: Buffer.alloc(1) }))
  const { rejected } = transcoder()(otlpRequest({ resource, spans }), 1)
  expect(rejected).toHaveLength(12)
  const large = rejected.filter(({ payload }) => payload.length > MIB)
  expect(large.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6])
  for (const { payload, index } of rejected) {
    expect(decodeRequest(payload)).toMatchObject({
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: `${index}` }] }] }],
    })
  }
})

test('A span of JSON keeps its resource and scope, and nothing where there is none', () => {
  const scope = new JsonText({ name: 'lib' })
  const budget = new ContextBudget()
  const parsed = (resource: JsonText): unknown =>
    JSON.parse(oneSpanJson({ name: 'a' }, { resource, scope }, budget).toString())
  expect(parsed(new JsonText({ attributes: [] }))).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [] },
        scopeSpans: [{ scope: { name: 'lib' }, spans: [{ name: 'a' }] }],
      },
    ],
  })
  expect(parsed(new JsonText())).toEqual({
    resourceSpans: [{ scopeSpans: [{ scope: { name: 'lib' }, spans: [{ name: 'a' }] }] }],
  })
})
