import { deadLetterBatch, type Rejected } from '#runtime/dead-letters.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { toNanos } from '#runtime/time.ts'
import type { Evaluation } from '#schemas/items.ts'
import { deadLetters, evaluations as evaluationsTopic } from '#schemas/topics.ts'
import type { Mistake } from './evaluations.ts'
import { type BadEvaluation, readEvaluationsRequest } from './evaluations-request.ts'
import { requestRecords, type TryAgain, tryAgain } from './request-records.ts'

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
export type AcceptEvaluations = (body: Buffer) => Promise<EvaluationsAcceptance>

export interface EvaluationsAcceptorOptions {
  readonly writer: RecordWriter
  readonly partitions: number
  readonly deadLetterPartitions: number
  readonly now: () => number
  readonly onAccepted: (evaluations: number) => void
  readonly onRejected: (reason: string) => void
}

const SOURCE = 'evaluations_http'
const REASON = 'invalid_evaluation'
const FORMAT = 'evaluation_json'
const NO_TOPIC = { worker: 'ingest', source: SOURCE, partition: -1, offset: -1n } as const
const MAX_BATCH_BYTES = 1024 * 1024
/** What an evaluation takes beside its explanation, at most but for odd ones. */
const USUAL_BYTES = 1_024

/** Makes what the receiver of evaluations calls. */
export function createEvaluationsAcceptor(options: EvaluationsAcceptorOptions): AcceptEvaluations {
  return async (body) => {
    const timeMs = options.now()
    const request = readEvaluationsRequest(body, toNanos(timeMs))
    if (request.type === 'too_large') return { type: 'too_large', message: request.message }
    if (request.type === 'malformed') {
      return { type: 'malformed', message: request.message, mistakes: [] }
    }
    const { evaluations, bad } = request
    if (bad.length > 0 && evaluations.length === 0) return allBad(bad)
    const rejected = bad.map(toRejected)
    try {
      await writeRequest(options, { body, evaluations, rejected, timeMs })
    } catch (error) {
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

interface ReadRequest {
  readonly body: Buffer
  readonly evaluations: readonly Evaluation[]
  readonly rejected: readonly Rejected[]
  readonly timeMs: number
}

async function writeRequest(
  { writer, partitions, deadLetterPartitions }: EvaluationsAcceptorOptions,
  { body, evaluations, rejected, timeMs }: ReadRequest,
): Promise<void> {
  const record = requestRecords(body)
  if (evaluations.length > 0) {
    const batches = cutInBatches(evaluations).map((batch) => evaluationsTopic.codec.encode(batch))
    const records = batches.map((value, part) => record(partitions, value, part))
    await writer.write(evaluationsTopic.name, records)
  }
  if (rejected.length > 0) {
    const value = deadLetterBatch({ ...NO_TOPIC, timeMs }, rejected)
    await writer.write(deadLetters.name, [record(deadLetterPartitions, value, 0)])
  }
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

function toRejected({ index, mistakes, payload }: BadEvaluation): Rejected {
  const detail = mistakes
    .map(({ field, message }) => (field === '' ? message : `${field} ${message}`))
    .join('; ')
  return { index, reason: REASON, detail, format: FORMAT, payload }
}

function allBad(bad: readonly BadEvaluation[]): EvaluationsAcceptance {
  const mistakes = bad.flatMap(({ index, mistakes: own }) =>
    own.map((mistake) => ({ index, ...mistake })),
  )
  const message = bad.length === 1 ? 'The evaluation is not valid' : 'No evaluation is valid'
  return { type: 'malformed', message, mistakes }
}
