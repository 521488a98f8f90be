import { deadLetterBatch, type Rejected } from '#runtime/dead-letters.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { deadLetters, spans as spansTopic } from '#schemas/topics.ts'
import type { Accept, OtlpRequest } from './accept.ts'
import { rateLimited, requestRecords, tryAgain } from './request-records.ts'
import { KEEP_ALL, type Redactor } from './redact/redactor.ts'
import type { Transcode } from './transcode.ts'
import { translate } from './translate.ts'

export interface AcceptorOptions {
  readonly transcode: Transcode
  /** For what is refused; the transcoder has its own. Without one it is kept as it came. */
  readonly redactor?: Redactor
  readonly writer: RecordWriter
  readonly spanPartitions: number
  readonly deadLetterPartitions: number
  readonly now: () => number
  readonly onSpans: (via: string, spans: number) => void
  readonly onRejected: (reason: string) => void
}

const NO_TOPIC = { worker: 'ingest', partition: -1, offset: -1n } as const
const MAX_REASONS = 5

/** Makes what the receivers call. */
export function createAcceptor(options: AcceptorOptions): Accept {
  return async (request) => {
    const receivedTimeMs = options.now()
    const { encoding, body, tenant, meter } = request
    const waitMs = meter?.waitMs() ?? 0
    if (waitMs > 0) return rateLimited(waitMs)
    meter?.take({ spans: 0, bytes: body.length })
    const translation = translate(options.transcode, encoding, body, receivedTimeMs, tenant)
    if (translation.type !== 'translated') return translation
    const { batches, spans } = translation
    const rejected = translation.rejected.map((span) => ({
      ...span,
      tenant: tenant ?? span.tenant,
    }))
    const allSpans = spans + rejected.length
    meter?.take({ spans: allSpans, bytes: 0 })
    try {
      await writeRequest(options, request, batches, rejected, receivedTimeMs)
    } catch (error) {
      meter?.giveBack({ spans: allSpans, bytes: body.length })
      return tryAgain(error)
    }
    options.onSpans(request.via, spans)
    for (const { reason } of rejected) options.onRejected(reason)
    return { type: 'accepted', spans, rejected: rejected.length, message: describe(rejected) }
  }
}

async function writeRequest(
  { writer, redactor = KEEP_ALL, spanPartitions, deadLetterPartitions }: AcceptorOptions,
  request: OtlpRequest,
  batches: readonly Buffer[],
  rejected: readonly Rejected[],
  receivedTimeMs: number,
): Promise<void> {
  const record = requestRecords(request.body, request.tenant)
  if (batches.length > 0) {
    const records = batches.map((value, part) => record(spanPartitions, value, part))
    await writer.write(spansTopic.name, records)
  }
  if (rejected.length > 0) {
    const origin = { ...NO_TOPIC, source: request.via, timeMs: receivedTimeMs }
    const value = deadLetterBatch(origin, redactor.redactRejected(rejected))
    await writer.write(deadLetters.name, [record(deadLetterPartitions, value, 0)])
  }
}

/** A sentence for the client that names the first few reasons. */
function describe(rejected: readonly Rejected[]): string {
  if (rejected.length === 0) return ''
  const named = rejected.slice(0, MAX_REASONS).map((span) => `span ${span.index}: ${span.detail}`)
  const more = rejected.length - named.length
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
