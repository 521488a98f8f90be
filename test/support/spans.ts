import { z } from 'zod'
import { schemas, spans } from '../../schemas/topics.ts'
import { loadConventions } from '../../services/ingest/conventions.ts'
import { parseDialect } from '../../services/ingest/dialect-file.ts'
import { compileDialects } from '../../services/ingest/dialects.ts'
import {
  createTranscoder,
  type Transcode,
  type TranscodeLimits,
} from '../../services/ingest/transcode.ts'
import { otlpRequest, type RequestInput, type SpanInput } from './otlp-proto.ts'

/** A decoded span or enriched span. */
export type Decoded = Readonly<Record<string, unknown>>

export const RECEIVED_MS = 1_767_323_046_000

export const LIMITS: TranscodeLimits = {
  maxAttributes: 100,
  maxAttributeBytes: 200,
  maxBatchBytes: 1_000_000,
  maxOutputBytes: 10_000_000,
  maxSpans: 100_000,
  maxValueBytes: 16 * 1024 * 1024,
}

/** A transcoder with the dialects as they stand. */
export const transcoder = (limits: Partial<TranscodeLimits> = {}): Transcode =>
  createTranscoder(loadConventions(), { ...LIMITS, ...limits })

/** A transcoder with a dialect of the test's own. */
export const transcoderOf = (dialect: string): Transcode =>
  createTranscoder(
    { ...loadConventions(), dialects: compileDialects([parseDialect(dialect, 'test.yaml')]) },
    LIMITS,
  )

/** All spans of some batches. */
export const decodeBatches = (batches: readonly Buffer[]): Decoded[] =>
  batches.flatMap((batch) => spans.codec.decode(batch))

/** The spans that a request becomes; none may be rejected. */
export function transcodeAll(request: RequestInput, transcode = transcoder()): Decoded[] {
  const { batches, rejected, spans: count } = transcode(otlpRequest(request), RECEIVED_MS)
  if (rejected.length > 0) throw new Error(`rejected: ${rejected[0]?.detail}`)
  const decoded = decodeBatches(batches)
  if (decoded.length !== count) throw new Error(`${count} spans counted, ${decoded.length} found`)
  return decoded
}

/** The span that one span with defaults becomes. */
export function transcodeOne(span: SpanInput, transcode = transcoder()): Decoded {
  const [decoded] = transcodeAll({ spans: [span] }, transcode)
  if (decoded === undefined) throw new Error('no span came out')
  return decoded
}

const recordOf = z.object({ fields: z.array(z.object({ name: z.string(), type: z.unknown() })) })
const EMPTY: Decoded = Object.fromEntries(
  recordOf.parse(schemas.span).fields.map(({ name, type }) => [name, emptyOf(type)]),
)

function emptyOf(type: unknown): unknown {
  if (type === 'string') return ''
  if (type === 'long') return 0n
  if (Array.isArray(type)) return null
  return JSON.stringify(type).startsWith('{"type":"map"') ? {} : []
}

/** A batch of spans with these fields; all others are empty. */
export const spanBatch = (...items: readonly Decoded[]): Buffer =>
  spans.codec.encode(items.map((fields) => ({ ...EMPTY, ...fields })))
