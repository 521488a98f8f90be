import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { between, chance, createRandom, pick } from '../../services/cli/replay/random.ts'
import { makeSpans } from './enriched-spans.ts'
import { databaseWith, dropDatabases, spanmeter, testHourMs } from './trace-database.ts'
import { expectedTraits, judgedTracesOf, slowTracesOf, traitLine } from './trace-oracles.ts'
import type { TestScore, TestSpan } from './trace-spans.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const HOUR_MS = 3_600_000
const HOUR = testHourMs

const range = { from: toDateTime64(HOUR), to: toDateTime64(HOUR + HOUR_MS) }

afterAll(dropDatabases)

/** Spans as the pipeline has them, with more of what traces may share. */
function traitSpans(seed: number): readonly TestSpan[] {
  const random = createRandom([seed, 1, 0])
  const made = makeSpans({
    seed,
    count: 4_000,
    fromNano: BigInt(HOUR) * 1_000_000n,
    spreadSeconds: 5_000,
  })
  return made.map((span, index) => ({
    ...span,
    agent: span.kind === 'agent' ? pick(random, ['planner', 'writer']) : '',
    tool: span.kind === 'tool' ? pick(random, ['search', 'read']) : '',
    experiment: pick(random, ['', 'tone']),
    variant: pick(random, ['', 'b']),
    streaming: pick(random, [null, true, false]),
    response_id: span.kind === 'llm' ? `answer-${seed}-${index}` : '',
    request_id: chance(random, 0.3) ? `request-${span.trace_id}` : '',
  }))
}

function randomScores(seed: number, spans: readonly TestSpan[]): readonly TestScore[] {
  const random = createRandom([seed, 2, 0])
  const time = BigInt(HOUR + HOUR_MS) * 1_000_000n
  return spans.flatMap((span): readonly TestScore[] => {
    if (!chance(random, 0.15)) return []
    const score = pick(random, [null, between(random, 0, 100) / 100])
    const evaluator = pick(random, ['factuality', 'relevance', 'low_quality_output'])
    const told = { evaluator, score, label: 'x', time_unix_nano: time }
    const [response, request] = [String(span['response_id']), String(span['request_id'])]
    return [
      pick(random, [
        { ...told, trace_id: span.trace_id },
        { ...told, trace_id: span.trace_id, span_id: span.span_id },
        response === '' ? { ...told, response_id: 'of none' } : { ...told, response_id: response },
        request === '' ? { ...told, request_id: 'of none' } : { ...told, request_id: request },
      ]),
    ]
  })
}

const supportOf = (line: string) => Number(/traces_in:(\d+)/.exec(line)?.[1])

describe(`What traces share (seed ${SEED})`, () => {
  const spans = traitSpans(SEED)
  const scores = randomScores(SEED, spans)
  // The traces of the range alone: spans are spread beyond it.
  const starts = new Map(
    [...Map.groupBy(spans, ({ trace_id: id }) => id)].map(([id, own]) => [
      id,
      own.reduce(
        (first, span) => (span.start_time_unix_nano < first ? span.start_time_unix_nano : first),
        1n << 62n,
      ),
    ]),
  )
  const end = BigInt(HOUR + HOUR_MS) * 1_000_000n
  const inRange = spans.filter(({ trace_id: id }) => (starts.get(id) ?? end) < end)
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await databaseWith(spans, scores)
  })

  const traitsOf = async (
    call_: string,
    params: Readonly<Record<string, number | readonly string[]>>,
  ) => {
    const rows = await clickhouse.query<Readonly<Record<string, string | number>>>(
      `SELECT * FROM ${call_}`,
      { ...range, ...params },
    )
    return rows.map(({ dimension, value, ...figures }) =>
      traitLine(`${dimension}=${value}`, figures),
    )
  }
  const slowTraits = `slow_trace_traits(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')},
    tenants = {tenants:Array(String)}, environments = {environments:Array(String)}, min_support = {support:UInt32})`
  const lowTraits = `low_quality_trace_traits(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')},
    below = {below:Float64}, evaluators = {evaluators:Array(String)},
    tenants = {tenants:Array(String)}, environments = {environments:Array(String)}, min_support = {support:UInt32})`
  const all = { tenants: [], environments: [], support: 1 }

  test('slow ones', async () => {
    const slow = slowTracesOf(inRange)
    const found = await traitsOf(slowTraits, all)
    expect(found.length).toBeGreaterThan(30)
    expect(found.toSorted()).toEqual(expectedTraits(inRange, (id) => slow.has(id)))
  })

  test('slow ones, with a support of 5 at least', async () => {
    const found = await traitsOf(slowTraits, { ...all, support: 5 })
    const every = await traitsOf(slowTraits, all)
    expect(found.toSorted()).toEqual(every.filter((line) => supportOf(line) >= 5).toSorted())
    expect(found.length).toBeLessThan(every.length)
  })

  test('slow ones of a tenant', async () => {
    const slow = slowTracesOf(inRange)
    const own = inRange.filter(({ tenant }) => tenant === 'acme')
    const found = await traitsOf(slowTraits, { ...all, tenants: ['acme'] })
    expect(found.toSorted()).toEqual(expectedTraits(own, (id) => slow.has(id)))
  })

  test('ones of low quality', async () => {
    const judged = judgedTracesOf(inRange, scores, 0.4)
    expect([...judged.values()].filter(Boolean).length).toBeGreaterThan(20)
    const found = await traitsOf(lowTraits, { ...all, below: 0.4, evaluators: [] })
    expect(found.toSorted()).toEqual(expectedTraits(inRange, (id) => judged.get(id)))
  })

  test('ones of low quality by one evaluator', async () => {
    const own = scores.filter(({ evaluator }) => evaluator === 'factuality')
    const judged = judgedTracesOf(inRange, own, 0.65)
    const found = await traitsOf(lowTraits, { ...all, below: 0.65, evaluators: ['factuality'] })
    expect(found.toSorted()).toEqual(expectedTraits(inRange, (id) => judged.get(id)))
  })

  test('the traces of low quality are listed, the worst first', async () => {
    const judged = judgedTracesOf(inRange, scores, 0.4)
    const rows = await clickhouse.query<{ trace_id: string; lowest_score: number | null }>(
      `SELECT trace_id, lowest_score FROM low_quality_traces(from = {from:DateTime64(3, 'UTC')},
         to = {to:DateTime64(3, 'UTC')}, below = 0.4, evaluators = [], tenants = [], most = 100000)`,
      range,
    )
    const low = [...judged].filter(([, isLow]) => isLow).map(([id]) => id)
    expect(rows.map((row) => row.trace_id).toSorted()).toEqual(low.toSorted())
    const lowest = rows.flatMap((row) => row.lowest_score ?? [])
    expect(lowest).toEqual(lowest.toSorted((a, b) => a - b))
  })

  test('the commands list them with what they share', async () => {
    const flags = [
      '--from',
      new Date(HOUR).toISOString(),
      '--to',
      new Date(HOUR + HOUR_MS).toISOString(),
    ]
    const slow = await spanmeter(clickhouse, ['traces', 'slow', '--json', '--limit', '3', ...flags])
    const found = JSON.parse(slow.out)
    expect(found).toMatchObject({ total: slowTracesOf(inRange).size })
    expect(found.traces).toHaveLength(3)
    for (const { durationMs, pathMs } of found.traces) {
      const parts: readonly number[] = Object.values(pathMs)
      expect(parts.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(durationMs, 6)
    }
    const low = await spanmeter(clickhouse, ['traces', 'low-quality', ...flags, '--below', '0.4'])
    expect(low.code).toBe(0)
    expect(low.out).toContain('of low quality, the worst first:')
  })
})
