import { deadLetterBatch, type Rejected } from '#runtime/dead-letters.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { toNanos } from '#runtime/time.ts'
import type { Evaluation } from '#schemas/items.ts'
import { deadLetters, evaluations as evaluationsTopic } from '#schemas/topics.ts'
import type { Mistake } from './evaluations.ts'
import { type BadEvaluation, readEvaluationsRequest } from './evaluations-request.ts'
import type { Sender } from './accept.ts'
import { KEEP_ALL, type Redactor } from './redact/redactor.ts'
import { rateLimited, requestRecords, type TryAgain, tryAgain } from './request-records.ts'

/** A mistake in a request, and the number of the evaluation that it is in. */
export interface NumberedMistake extends Mistake {
  readonly index: number
}

/**
 * What became of a request. `accepted`: Kafka has every evaluation that was not rejected, and the
 * rejected ones are dead letters. `malformed` and `too_large`: nothing was kept, and it will never
 * work; `mistakes` says why of every evaluation. Else nothing is promised.
 */
export type EvaluationsAcceptance =
  | {
      readonly type: 'accepted'
      readonly accepted: number
      readonly rejected: readonly { readonly index: number; readonly message: string }[]
    }
  | {
      readonly type: 'malformed'
      readonly message: string
      readonly mistakes: readonly NumberedMistake[]
    }
  | { readonly type: 'too_large'; readonly message: string }
  | TryAgain

/** Takes the body of a request in; resolves when it is durable or refused. */
export type AcceptEvaluations = (body: Buffer, sender?: Sender) => Promise<EvaluationsAcceptance>

export interface EvaluationsAcceptorOptions {
  readonly writer: RecordWriter
  /** Without one everything is kept as it came. */
  readonly redactor?: Redactor
  readonly partitions: number
  readonly deadLetterPartitions: number
  readonly now: () => number
  readonly onAccepted: (evaluations: number) => void
  readonly onRejected: (reason: string) => void
}

const NOBODY: Sender = { tenant: undefined }
const SOURCE = 'evaluations_http'
const REASON = 'invalid_evaluation'
export const FORMAT = 'evaluation_json'
const NO_TOPIC = { worker: 'ingest', source: SOURCE, partition: -1, offset: -1n } as const
const MAX_BATCH_BYTES = 1024 * 1024
/** What an evaluation takes beside its explanation, at most but for odd ones. */
const USUAL_BYTES = 1_024

/** Makes what the receiver of evaluations calls. */
export function createEvaluationsAcceptor(options: EvaluationsAcceptorOptions): AcceptEvaluations {
  return async (body, { tenant, meter } = NOBODY) => {
    const timeMs = options.now()
    const waitMs = meter?.waitMs() ?? 0
    if (waitMs > 0) return rateLimited(waitMs)
    meter?.take({ spans: 0, bytes: body.length })
    const request = readEvaluationsRequest(body, toNanos(timeMs))
    if (request.type === 'too_large') return { type: 'too_large', message: request.message }
    if (request.type === 'malformed') {
      return { type: 'malformed', message: request.message, mistakes: [] }
    }
    const { evaluations, bad } = request
    if (bad.length > 0 && evaluations.length === 0) return allBad(bad)
    const rejected = bad.map((each) => ({ ...toRejected(each), tenant: tenant ?? '' }))
    const all = evaluations.length + bad.length
    meter?.take({ spans: all, bytes: 0 })
    try {
      await writeRequest(options, {
        body,
        evaluations: ownedBy(tenant, evaluations),
        rejected,
        timeMs,
        tenant,
      })
    } catch (error) {
      meter?.giveBack({ spans: all, bytes: body.length })
      return tryAgain(error)
    }
    options.onAccepted(evaluations.length)
    for (const { reason } of rejected) options.onRejected(reason)
    return {
      type: 'accepted',
      accepted: evaluations.length,
      rejected: rejected.map(({ index, detail: message }) => ({ index, message })),
    }
  }
}

/** Whose key it is, owns what was sent with it, whatever the evaluations themselves say. */
export function ownedBy(
  tenant: string | undefined,
  evaluations: readonly Evaluation[],
): readonly Evaluation[] {
  return tenant === undefined ? evaluations : evaluations.map((each) => ({ ...each, tenant }))
}

interface ReadRequest {
  readonly body: Buffer
  readonly tenant: string | undefined
  readonly evaluations: readonly Evaluation[]
  readonly rejected: readonly Rejected[]
  readonly timeMs: number
}

async function writeRequest(
  { writer, redactor = KEEP_ALL, partitions, deadLetterPartitions }: EvaluationsAcceptorOptions,
  { body, tenant, evaluations, rejected, timeMs }: ReadRequest,
): Promise<void> {
  const record = requestRecords(body, tenant)
  if (evaluations.length > 0) {
    const batches = encodeEvaluations(evaluations, redactor)
    const records = batches.map((value, part) => record(partitions, value, part))
    await writer.write(evaluationsTopic.name, records)
  }
  if (rejected.length > 0) {
    const value = deadLetterBatch({ ...NO_TOPIC, timeMs }, redactor.redactRejected(rejected))
    await writer.write(deadLetters.name, [record(deadLetterPartitions, value, 0)])
  }
}

/** Batches of the topic `evaluations`, cut before anything is redacted. */
export function encodeEvaluations(
  evaluations: readonly Evaluation[],
  redactor: Redactor,
): readonly Buffer[] {
  return cutInBatches(evaluations).map((batch) =>
    evaluationsTopic.codec.encode(redactor.redactEvaluations(batch)),
  )
}

/** Cuts by what was sent alone, so that a request that is sent again is cut alike. */
function cutInBatches(evaluations: readonly Evaluation[]): readonly (readonly Evaluation[])[] {
  const batches: Evaluation[][] = []
  let bytes = MAX_BATCH_BYTES
  for (const evaluation of evaluations) {
    const size = USUAL_BYTES + Buffer.byteLength(evaluation.explanation)
    bytes += size
    if (bytes > MAX_BATCH_BYTES) {
      batches.push([])
      bytes = size
    }
    batches.at(-1)?.push(evaluation)
  }
  return batches
}

export function toRejected({ index, mistakes, payload }: BadEvaluation): Rejected {
  const detail = mistakes
    .map(({ field, message }) => (field === '' ? message : `${field} ${message}`))
    .join('; ')
  return { index, reason: REASON, detail, format: FORMAT, payload, tenant: '' }
}

function allBad(bad: readonly BadEvaluation[]): EvaluationsAcceptance {
  const mistakes = bad.flatMap(({ index, mistakes: own }) =>
    own.map((mistake) => ({ index, ...mistake })),
  )
  const message = bad.length === 1 ? 'The evaluation is not valid' : 'No evaluation is valid'
  return { type: 'malformed', message, mistakes }
}
