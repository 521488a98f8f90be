import { randomBytes } from 'node:crypto'

/** What a user may spend in an hour in the benchmark, USD; its other users stay far below. */
export const LIMIT_USD = 50

/** At 2.50 USD a million, above the limit by half. */
const DECIDING_TOKENS = 30_000_000
const NANOS_PER_MS = 1_000_000n
const DURATION_MS = 1_000

/** An OTLP request in JSON with one call that costs more than its user may spend in an hour. */
export function decidingRequest(user: string, endMs: number): Buffer {
  const end = BigInt(endMs) * NANOS_PER_MS
  const span = {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    name: 'chat gpt-4o',
    kind: 3,
    startTimeUnixNano: String(end - BigInt(DURATION_MS) * NANOS_PER_MS),
    endTimeUnixNano: String(end),
    attributes: [
      text('gen_ai.operation.name', 'chat'),
      text('gen_ai.system', 'openai'),
      text('gen_ai.request.model', 'gpt-4o'),
      text('gen_ai.response.model', 'gpt-4o-2024-08-06'),
      whole('gen_ai.usage.input_tokens', DECIDING_TOKENS),
      whole('gen_ai.usage.output_tokens', 1),
      text('user.id', user),
      text('tenant', 'acme'),
    ],
  }
  const resource = { attributes: [text('service.name', 'assistant-api')] }
  return Buffer.from(
    JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans: [span] }] }] }),
  )
}

function text(key: string, stringValue: string) {
  return { key, value: { stringValue } }
}

function whole(key: string, value: number) {
  return { key, value: { intValue: String(value) } }
}
