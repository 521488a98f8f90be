import { readFileSync } from 'node:fs'
import { BatchError, type SchemaJson } from '../../schemas/codec.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  type BatchTopic,
  deadLetters,
  enrichedSpans,
  evaluations,
  observations,
  priceCorrections,
  schemas,
  spans,
} from '../../schemas/topics.ts'
import { WireError } from '../../schemas/wire.ts'
import { readDeltas } from '../../services/alert/delta-batch.ts'
import { createFold, type FoldTopic } from '../../services/alert/fold.ts'
import { parseRuleFiles, shippedRuleFiles } from '../../services/alert/rule-file.ts'
import { parseConfig } from '../../services/enrich/config.ts'
import { createEnricher } from '../../services/enrich/enrich.ts'
import { encodeEvaluations } from '../../services/ingest/evaluations-acceptor.ts'
import { readEvaluationsRequest } from '../../services/ingest/evaluations-request.ts'
import { loadConventions } from '../../services/ingest/conventions.ts'
import { createRedactor } from '../../services/ingest/redact/redactor.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { translate, type Translation } from '../../services/ingest/translate.ts'
import { containerFile } from '#runtime/container-file.ts'
import type { Random } from '../alert/random.ts'
import { policiesOf } from '../ingest/redact/policies.ts'
import { record } from '../support/memory.ts'
import { LIMITS } from '../support/spans.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateProto } from './mutate-proto.ts'
import { batchesOf, EVALUATION_REQUESTS, JSON_REQUESTS, PROTO_REQUESTS } from './samples.ts'

/** Something that reads bytes which others wrote. */
export interface Target {
  readonly name: string
  /** Of so many inputs that are made, its share. */
  readonly share: number
  make(random: Random): Buffer
  /** Reads the bytes; gives what came of it in a word. Throws what should never be thrown. */
  read(input: Buffer): string
}

const RECEIVED_MS = 1_767_323_046_000
const RECEIVED = 1_767_323_046_000_000_000n
/** Decoding all of what was written takes far longer than writing it. */
const CHECKS_OUTPUT = 16

const conventions = loadConventions()
const redactor = createRedactor(policiesOf(''))
const transcode = createTranscoder(conventions, LIMITS)
const redacting = createTranscoder(conventions, LIMITS, { redactor })

const pick = <T>(random: Random, values: readonly T[]): T | undefined =>
  values[random.whole(0, values.length - 1)]
const bytesOf = (random: Random, samples: readonly Buffer[]) =>
  pick(random, samples) ?? Buffer.alloc(0)

let inputs = 0

function readRequest(encoding: 'proto' | 'json', redacts: boolean) {
  return (input: Buffer): string => {
    const found = translate(redacts ? redacting : transcode, encoding, input, RECEIVED_MS)
    if (inputs++ % CHECKS_OUTPUT === 0) checkTranslation(found, redacts)
    if (found.type !== 'translated') return found.type
    return found.rejected.length > 0 ? 'rejected' : 'translated'
  }
}

/** What was written must be readable, and as much as was told. */
function checkTranslation(found: Translation, redacts: boolean): void {
  if (found.type !== 'translated') return
  const decoded = found.batches.flatMap((batch) => spans.codec.decode(batch))
  if (decoded.length !== found.spans) {
    throw new Error(`${found.spans} spans were told, ${decoded.length} are there`)
  }
  const rejected = redacts ? redactor.redactRejected(found.rejected) : found.rejected
  if (rejected.length !== found.rejected.length) throw new Error('a refused span is missing')
}

function readEvaluations(input: Buffer): string {
  const request = readEvaluationsRequest(input, RECEIVED)
  if (request.type !== 'read') return request.type
  for (const batch of encodeEvaluations(request.evaluations, redactor)) {
    evaluations.codec.decode(batch)
  }
  return request.bad.length > 0 ? 'rejected' : 'read'
}

/** Of what is no batch, readers say so by these two alone. */
function allowed(read: () => unknown): string {
  try {
    read()
    return 'read'
  } catch (error) {
    if (error instanceof BatchError || error instanceof WireError) return error.name
    throw error
  }
}

const { prices } = parseConfig({})
const enrich = createEnricher({
  prices,
  tagSpan: () => undefined,
  contentRate: 0.5,
  onPriced: () => undefined,
})

function readEnriched(input: Buffer): string {
  const { values, secondValues = [], rejected } = enrich(record(0, input))
  if (inputs++ % CHECKS_OUTPUT === 0) {
    for (const value of values) enrichedSpans.codec.decode(value)
    for (const value of secondValues) evaluations.codec.decode(value)
  }
  return rejected.length > 0 ? 'rejected' : 'read'
}

const { series } = parseRuleFiles(
  shippedRuleFiles().map((file) => ({ file, text: readFileSync(file, 'utf8') })),
)

const HEADER_BYTES = 10
/** A batch whose header is wrong is told at once: mostly it stays. */
const KEEPS_HEADER = 0.95

function makeBatch(samples: readonly Buffer[]) {
  return (random: Random): Buffer => {
    const batch = bytesOf(random, samples)
    if (random.next() >= KEEPS_HEADER) return mutateBytes(batch, random)
    const body = mutateBytes(batch.subarray(HEADER_BYTES), random)
    return Buffer.concat([batch.subarray(0, HEADER_BYTES), body])
  }
}

const batchTarget = (
  name: string,
  samples: readonly Buffer[],
  read: (input: Buffer) => string,
) => ({
  name,
  share: 1,
  make: makeBatch(samples),
  read,
})

/** What sink, and whoever else reads whole items, does with a batch. */
const codecTarget = <T>({ name, codec }: BatchTopic<T>, schema: SchemaJson): Target =>
  batchTarget(`codec_${name}`, batchesOf(schema), (input) =>
    allowed(() => {
      codec.decode(input)
      containerFile(codec, [input, input])
    }),
  )

function foldTarget(topic: FoldTopic, samples: readonly Buffer[]): Target {
  const fold = createFold(series, topic)
  return batchTarget(`alert_${topic}`, samples, (input) => {
    const outcome = allowed(() => fold.add(input))
    fold.drain()
    return outcome
  })
}

const written = PROTO_REQUESTS.flatMap((request) => transcode(request, RECEIVED_MS).batches)
const spanBatches = [...written, ...batchesOf(schemas.span)]
const enrichedBatches = [
  ...written.flatMap((batch) => enrich(record(0, batch)).values),
  ...batchesOf(schemas.enrichedSpan),
]

const proto = (random: Random) => mutateProto(bytesOf(random, PROTO_REQUESTS), random)
const json = (random: Random) => mutateJson(pick(random, JSON_REQUESTS), random)
const scores = (random: Random) => mutateJson(pick(random, EVALUATION_REQUESTS), random)

/** Everything that reads what others may have written. */
export const TARGETS: readonly Target[] = [
  { name: 'otlp_proto', share: 5, make: proto, read: readRequest('proto', false) },
  { name: 'otlp_proto_redacted', share: 2, make: proto, read: readRequest('proto', true) },
  { name: 'otlp_json', share: 4, make: json, read: readRequest('json', false) },
  { name: 'otlp_json_redacted', share: 1, make: json, read: readRequest('json', true) },
  { name: 'evaluations_json', share: 2, make: scores, read: readEvaluations },
  batchTarget('enrich_spans', spanBatches, readEnriched),
  foldTarget('spans', enrichedBatches),
  foldTarget('corrections', batchesOf(schemas.priceCorrection)),
  foldTarget('evaluations', batchesOf(schemas.evaluation)),
  foldTarget('dead_letters', batchesOf(schemas.deadLetter)),
  batchTarget('alert_deltas', batchesOf(schemas.aggregate), (input) =>
    allowed(() => readDeltas(input, () => undefined)),
  ),
  codecTarget(alerts, schemas.alert),
  codecTarget(alertDeliveries, schemas.alertDelivery),
  codecTarget(alertState, schemas.alertState),
  codecTarget(deadLetters, schemas.deadLetter),
  codecTarget(enrichedSpans, schemas.enrichedSpan),
  codecTarget(observations, schemas.observation),
  codecTarget(priceCorrections, schemas.priceCorrection),
]

/** A request that must become the same bytes whatever was read before it. */
export function canary(): string {
  const [request = Buffer.alloc(0)] = PROTO_REQUESTS
  return Buffer.concat([...transcode(request, RECEIVED_MS).batches]).toString('base64')
}
