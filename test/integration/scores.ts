import { createHash } from 'node:crypto'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Evaluation } from '#schemas/items.ts'
import { evaluations } from '#schemas/topics.ts'
import { parseConfig as parseEnrichConfig } from '../../services/enrich/config.ts'
import { createEnricher } from '../../services/enrich/enrich.ts'
import { readEvaluationsRequest } from '../../services/ingest/evaluations-request.ts'
import { parseConfig as parseIngestConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'

/** The evaluations that OTLP requests carry in their spans' events, as the pure stages find them. */
export function evaluationsOfSpans(bodies: readonly Buffer[]): readonly Evaluation[] {
  const ingest = parseIngestConfig({})
  const transcode = createTranscoder(ingest.conventions, ingest.transcode)
  const { prices, tagSpan, contentRate } = parseEnrichConfig({})
  const enrich = createEnricher({ prices, tagSpan, contentRate, onPriced: () => undefined })
  return bodies
    .flatMap((body) => transcode(body, 0).batches)
    .flatMap((value) => enrich({ offset: 0n, timeMs: 0, headers: {}, value }).secondValues ?? [])
    .flatMap((batch) => evaluations.codec.decode(batch))
}

/** The evaluations that bodies of POST /v1/evaluations hold; those without a time are of 1970. */
export function evaluationsOfBodies(bodies: readonly Buffer[]): readonly Evaluation[] {
  return bodies.flatMap((body) => {
    const request = readEvaluationsRequest(body, 0n)
    if (request.type !== 'read') throw new Error(request.message)
    return request.evaluations
  })
}

/** Columns of `evaluations` that are fields just as they are. */
const TEXTS = [
  'evaluation_id',
  'trace_id',
  'span_id',
  'evaluator',
  'evaluator_version',
  'dimension',
  'label',
  'response_id',
  'tenant',
  'team',
  'feature',
  'environment',
  'cost_centre',
  'user_tier',
  'user',
  'session',
  'request_id',
  'service',
  'provider',
  'model',
  'prompt_id',
  'prompt_version',
  'experiment',
  'variant',
  'domain',
  'use_case',
  'origin',
] as const

/** What lies in the table `evaluations`, a line to a row, sorted; explanations as their hashes. */
export async function actualEvaluations(clickhouse: ClickHouse): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ line: string }>(
    `SELECT concat(${TEXTS.join(`, '|', `)}, '|', lower(hex(SHA256(explanation))), '|',
       toString(toUnixTimestamp64Nano(time)), '|', ifNull(toString(score), '')) AS line
     FROM evaluations`,
  )
  return rows.map((row) => row.line).sort()
}

/** The same worked out from the evaluations. */
export function expectedEvaluations(all: readonly Evaluation[]): readonly string[] {
  return all
    .map((each) => {
      const hash = createHash('sha256').update(each.explanation).digest('hex')
      const texts = TEXTS.map((name) => each[name])
      return [...texts, hash, each.time_unix_nano, each.score].join('|')
    })
    .sort()
}

const DIMENSIONS = [
  'tenant',
  'evaluator',
  'evaluator_version',
  'dimension',
  'feature',
  'model',
  'user_tier',
  'prompt_id',
  'prompt_version',
  'experiment',
  'variant',
  'environment',
  'use_case',
  'label',
] as const

const NANOS_PER_MINUTE = 60_000_000_000n
const BILLION = 1_000_000_000

/** The rollup worked out from the evaluations: a line for each minute and combination of dimensions. */
export function expectedScores(all: readonly Evaluation[]): readonly string[] {
  const groups = new Map<string, { count: number; scored: number; sum: bigint }>()
  for (const each of all) {
    const minute = String((each.time_unix_nano / NANOS_PER_MINUTE) * 60n)
    const key = [minute, ...DIMENSIONS.map((name) => each[name])].join('|')
    const { count, scored, sum } = groups.get(key) ?? { count: 0, scored: 0, sum: 0n }
    groups.set(key, {
      count: count + 1,
      scored: scored + (each.score === null ? 0 : 1),
      sum: sum + BigInt(Math.round((each.score ?? 0) * BILLION)),
    })
  }
  return [...groups]
    .map(([key, { count, scored, sum }]) => [key, count, scored, sum].join('|'))
    .sort()
}

/** The same from ClickHouse, sums in billionths. */
export async function actualScores(clickhouse: ClickHouse): Promise<readonly string[]> {
  const columns = [
    'toUnixTimestamp(time)',
    ...DIMENSIONS,
    'sum(parts.evaluations)',
    'sum(parts.scored)',
    'toInt128(sum(parts.score_sum) * 1000000000)',
  ]
  const line = columns.map((column) => `toString(${column})`).join(`, '|', `)
  const rows = await clickhouse.query<{ line: string }>(
    `SELECT concat(${line}) AS line FROM scores_by_evaluator_1m AS parts GROUP BY time, ${DIMENSIONS.join(', ')}`,
  )
  return rows.map((row) => row.line).sort()
}
