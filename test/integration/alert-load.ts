import type { NewRecord } from '#runtime/records.ts'
import { enrichedSpans, evaluations } from '#schemas/topics.ts'
import {
  between,
  chance,
  createRandom,
  pick,
  type Random,
} from '../../services/cli/replay/random.ts'

/** Enriched spans and scores that alert rules have something to say about, straight for their topics. */

/** A step of the load: what is sent to each topic at once. */
export interface LoadStep {
  readonly spans: readonly NewRecord[]
  readonly evaluations: readonly NewRecord[]
}

export interface LoadOptions {
  readonly seed: number
  readonly minutes: number
  readonly partitions: number
}

/** The load begins twenty minutes before an hour, so that a period of a budget ends within it. */
const START_MS = Date.parse('2026-03-10T11:40:00Z')
const MINUTE_MS = 60_000
const STEPS_PER_MINUTE = 3
/** Records stray by so much; the rules allow two minutes. */
const JITTER_MS = 40_000
/** So long after the last minute everything has been decided: the hour, and the longest window. */
const AFTER_MINUTES = 100
const NANOS = 1_000_000n

const MODELS = ['alpha', 'beta', 'gamma', 'delta']
const SERVICES = ['web', 'api', 'batch']
const FEATURES = ['search', 'chat', 'summary']
const USERS = Array.from({ length: 12 }, (_, i) => `user-${i}`)

export const LOAD_RULES = `
allowed_lateness: 2m
rules:
  - name: errors
    metric: error_rate
    by: [model]
    contributors: error_type
    window: 5m
    condition: { above: 25%, resolve: 15% }
    min_count: 10
    renotify: 3m
    severity: critical
  - name: slow
    metric: p95(duration)
    by: [service]
    contributors: model
    window: 1m
    condition: { above: 5s, resolve: 4s }
    for: 3
    min_count: 5
  - name: busy-user
    metric: sum(tokens)
    by: [user]
    contributors: model
    window: 5m
    condition: { above: 60000 tokens }
  - name: user-hour
    metric: sum(cost)
    by: [user]
    condition: { budget: { limit: 1 USD, period: hour } }
    severity: critical
  - name: low-scores
    source: evaluations
    metric: mean(score)
    by: [feature]
    window: 5m
    condition: { below: 0.65, resolve: 0.7 }
    min_count: 5
  - name: burn
    metric: error_rate
    by: [model]
    condition:
      burn:
        objective: 95%
        period: 1d
        levels:
          - { rate: 8, long: 10m, short: 2m, severity: critical }
          - { rate: 3, long: 20m, short: 5m, severity: warning }
    min_count: 10
  - name: dearer
    metric: sum(cost)
    by: [feature]
    window: 5m
    condition: { above: 1.3x, baseline: { trailing: 15m, warmup: 10m, min_count: 5 } }
  - name: slow-and-bad
    by: [feature]
    every: 1m
    condition:
      all:
        - { metric: mean(duration), window: 5m, condition: { above: 2s } }
        - { metric: mean(score), source: evaluations, window: 5m, condition: { below: 0.7 } }
`

/** Rules that may fire before a window is decided: how records come together shows in their values. */
export const EARLY_RULES: ReadonlySet<string> = new Set(['busy-user', 'user-hour'])

/** A stretch of minutes in which something is wrong with one name. */
interface Episode {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** What is wrong when, with whom. */
interface Episodes {
  readonly failing: readonly Episode[]
  readonly slow: readonly Episode[]
  readonly busy: readonly Episode[]
  readonly bad: readonly Episode[]
}

/** All steps of a load, and at the end one that takes the time of every partition far beyond it. */
export function makeLoad(options: LoadOptions): readonly LoadStep[] {
  const { seed, minutes } = options
  const episodes = makeEpisodes(createRandom([seed, 1, 0]), minutes)
  const steps: LoadStep[] = []
  for (let minute = 0; minute < minutes; minute++) {
    for (let part = 0; part < STEPS_PER_MINUTE; part++) {
      steps.push(makeStep(options, episodes, minute, createRandom([seed, 2 + part, minute])))
    }
  }
  return [...steps, lastStep(options)]
}

function makeEpisodes(random: Random, minutes: number): Episodes {
  const of = (names: readonly string[]): readonly Episode[] =>
    Array.from({ length: Math.ceil(minutes / 12) }, (_, i) => {
      const from = i * 12 + between(random, 0, 4)
      return { name: pick(random, names), from, to: from + between(random, 4, 9) }
    })
  return { failing: of(MODELS), slow: of(SERVICES), busy: of(USERS), bad: of(FEATURES) }
}

function isIn(episodes: readonly Episode[], name: string, minute: number): boolean {
  return episodes.some((one) => one.name === name && one.from <= minute && minute < one.to)
}

function makeStep(
  { partitions }: LoadOptions,
  episodes: Episodes,
  minute: number,
  random: Random,
): LoadStep {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const minuteMs = START_MS + minute * MINUTE_MS
  const timeMs = () => minuteMs + between(random, -JITTER_MS, MINUTE_MS - 1)
  return {
    spans: numbers.map((partition) => {
      // All of a user stands in one partition: what fires early does so in the order of the records.
      const users = USERS.filter((_, i) => i % partitions === partition)
      const items = Array.from({ length: between(random, 4, 8) }, () =>
        makeSpan(random, { user: pick(random, users), endMs: timeMs(), minute, episodes }),
      )
      return recordOf(partition, enrichedSpans.codec.encode(items))
    }),
    evaluations: numbers.map((partition) => {
      const items = Array.from({ length: between(random, 1, 3) }, () => {
        const feature = pick(random, FEATURES)
        const middle = isIn(episodes.bad, feature, minute) ? 40 : 85
        return makeScore(timeMs(), feature, between(random, middle - 10, middle + 10) / 100)
      })
      return recordOf(partition, evaluations.codec.encode(items))
    }),
  }
}

function recordOf(partition: number, value: Buffer): NewRecord {
  return { partition, key: null, value, headers: {} }
}

interface Call {
  readonly user: string
  readonly endMs: number
  readonly minute: number
  readonly episodes: Episodes
}

function makeSpan(random: Random, { user, endMs, minute, episodes }: Call) {
  const [model, service, feature] = [
    pick(random, MODELS),
    pick(random, SERVICES),
    pick(random, FEATURES),
  ]
  const isFailing = chance(random, isIn(episodes.failing, model, minute) ? 0.7 : 0.02)
  const isSlow = isIn(episodes.slow, service, minute) || isIn(episodes.bad, feature, minute)
  const durationMs = between(random, 400, 1_800) * (isSlow ? 4 : 1)
  const tokens = between(random, 500, 2_000) * (isIn(episodes.busy, user, minute) ? 12 : 1)
  return {
    ...spanTimes(endMs, durationMs),
    user,
    service,
    feature,
    kind: 'llm',
    request_model: model,
    error_type: isFailing ? pick(random, ['rate_limit', 'timeout', 'provider_error']) : '',
    input_tokens: BigInt(tokens),
    output_tokens: 0n,
    // 10 USD for a million tokens.
    cost_pico_usd: BigInt(tokens) * 10_000_000n,
    price_status: 'priced',
    trace_id: random.uint32().toString(16).padStart(32, '0'),
  }
}

function spanTimes(endMs: number, durationMs: number) {
  return {
    start_time_unix_nano: BigInt(endMs - durationMs) * NANOS,
    duration_nano: BigInt(durationMs) * NANOS,
    received_time_unix_nano: BigInt(endMs) * NANOS,
  }
}

function makeScore(timeMs: number, feature: string, score: number) {
  const nanos = BigInt(timeMs) * NANOS
  return {
    ...EMPTY_EVALUATION,
    time_unix_nano: nanos,
    received_time_unix_nano: nanos,
    evaluator: 'judge',
    dimension: 'relevance',
    feature,
    score,
  }
}

const EMPTY_EVALUATION = {
  evaluation_id: '',
  trace_id: '',
  span_id: '',
  evaluator_version: '',
  label: '',
  explanation: '',
  response_id: '',
  tenant: '',
  team: '',
  environment: '',
  cost_centre: '',
  user_tier: '',
  user: '',
  session: '',
  request_id: '',
  service: '',
  provider: '',
  model: '',
  prompt_id: '',
  prompt_version: '',
  experiment: '',
  variant: '',
  domain: '',
  use_case: '',
  origin: '',
}

function lastStep({ partitions, minutes }: LoadOptions): LoadStep {
  const timeMs = START_MS + (minutes + AFTER_MINUTES) * MINUTE_MS
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const span = { ...spanTimes(timeMs, 1), user: 'nobody', kind: 'tool', trace_id: '' }
  return {
    spans: numbers.map((p) => recordOf(p, enrichedSpans.codec.encode([span]))),
    evaluations: numbers.map((p) =>
      recordOf(p, evaluations.codec.encode([makeScore(timeMs, '', 1)])),
    ),
  }
}
