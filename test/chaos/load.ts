import { between, createRandom, pick, type Random } from '../../services/cli/replay/random.ts'
import { otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { sampleRequests } from '../support/sample.ts'

/** How a request is sent. */
export type Via = 'http' | 'grpc' | 'topic'

/** A request to be sent, and when. */
export interface Sending {
  readonly atMs: number
  readonly via: Via
  readonly of: 'spans' | 'scores'
  readonly body: Buffer
}

export interface LoadOptions {
  readonly seed: number
  readonly lastMs: number
  /** Rows of the sample for each second. */
  readonly rowsPerSecond: number
}

const SCORES_PER_REQUEST = 15
const SCORE_REQUESTS_PER_SECOND = 3
const ODD_REQUESTS_PER_SECOND = 1.5
const REPEATED_SHARE = 0.12
const REPEAT_AFTER_MS = { min: 50, max: 20_000 }
/** Requests change places with those this near. */
const SHUFFLE_MS = 8_000
const MAX_ROWS = 19_000

const EVALUATORS = ['factuality', 'relevance', 'toxicity']
const NANOS_PER_MS = 1_000_000n
const AGE_MS = 1_200_000

/** All requests of a run by their times: the sample's, spans that carry scores or are not valid, scores. */
export function makeSendings(options: LoadOptions): readonly Sending[] {
  const { seed, lastMs, rowsPerSecond } = options
  const random = createRandom([seed, 7, 0])
  const seconds = lastMs / 1_000
  const rows = Math.min(MAX_ROWS, Math.ceil(seconds * rowsPerSecond))
  const sample = sampleRequests({ rows, seed })
  const odd = count(seconds * ODD_REQUESTS_PER_SECOND, (number) => oddRequest(random, number))
  const scores = count(seconds * SCORE_REQUESTS_PER_SECOND, (number) => scoresOf(random, number))
  const first = [
    ...spread(random, lastMs, sample, 'spans'),
    ...spread(random, lastMs, odd, 'spans'),
    ...spread(random, lastMs, scores, 'scores'),
  ]
  return [...first, ...repeatsOf(random, first)].toSorted((a, b) => a.atMs - b.atMs)
}

function count<T>(amount: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: Math.ceil(amount) }, (_, number) => make(number))
}

function spread(
  random: Random,
  lastMs: number,
  bodies: readonly Buffer[],
  of: Sending['of'],
): readonly Sending[] {
  return bodies.map((body, i) => {
    const via = of === 'scores' ? 'http' : pick(random, ['http', 'http', 'grpc', 'topic'] as const)
    const atMs = (i / bodies.length) * lastMs + between(random, 0, SHUFFLE_MS)
    return { of, via, body, atMs: Math.min(atMs, lastMs) }
  })
}

/** Clients that do not know send again, now and then another way. */
function repeatsOf(random: Random, sendings: readonly Sending[]): readonly Sending[] {
  return sendings
    .filter(({ via }) => via !== 'topic' && random.next() < REPEATED_SHARE)
    .map((one) => ({
      ...one,
      via: one.of === 'scores' ? 'http' : pick(random, ['http', 'grpc'] as const),
      atMs: one.atMs + between(random, REPEAT_AFTER_MS.min, REPEAT_AFTER_MS.max),
    }))
}

/** A request of spans that carry scores; every third has one that is no span. */
function oddRequest(random: Random, number: number): Buffer {
  const spans = count(6, (i): SpanInput => judgedSpan(random, number * 10 + i))
  const bad = { ...judgedSpan(random, number * 10 + 9), traceId: Buffer.alloc(15, 7) }
  return otlpRequest({ spans: number % 3 === 0 ? [...spans, bad] : spans })
}

const hex = (digits: number, value: number) => value.toString(16).padStart(digits, '0')

function judgedSpan(random: Random, number: number): SpanInput {
  const start = BigInt(Date.now() - AGE_MS + (number % 60_000)) * NANOS_PER_MS
  return {
    traceId: Buffer.from(hex(32, 0xc4a05_0000 + number), 'hex'),
    spanId: Buffer.from(hex(16, 0xc4a05_0000 + number), 'hex'),
    start,
    end: start + BigInt(between(random, 1, 900)) * NANOS_PER_MS,
    attributes: [
      ['tenant.id', pick(random, ['acme', 'globex'])],
      ['gen_ai.request.model', pick(random, ['gpt-4o', 'o3'])],
    ],
    events: count(between(random, 0, 3), (i) => ({
      name: 'gen_ai.evaluation.result',
      time: start + BigInt(i),
      attributes: [
        ['gen_ai.evaluation.name', pick(random, EVALUATORS)],
        ['gen_ai.evaluation.score.value', { double: between(random, 0, 1_000) / 1_000 }],
        ['gen_ai.evaluation.explanation', 'y'.repeat(between(random, 1, 4_000))],
      ] as const,
    })),
  }
}

function scoresOf(random: Random, request: number): Buffer {
  const scores = count(SCORES_PER_REQUEST, (i) => ({
    trace_id: hex(32, 0xe7a1_0000 + request * 100 + i),
    evaluator: pick(random, EVALUATORS),
    label: pick(random, ['pass', 'fail', 'none']),
    score: pick(random, [null, between(random, 0, 1_000) / 1_000]),
    model: pick(random, ['gpt-4o', 'o3']),
    prompt_version: pick(random, ['v1', 'v2']),
    explanation: 'x'.repeat(between(random, 0, 300)),
    time: new Date(Date.now() - AGE_MS + request * 100 + i).toISOString(),
  }))
  return Buffer.from(JSON.stringify(scores))
}
