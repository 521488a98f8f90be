import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { between, chance, createRandom, pick } from '../../services/cli/replay/random.ts'
import { databaseWith, dropDatabases, spanmeter, testHourMs } from './trace-database.ts'
import { slowTracesOf, timesOfTrace } from './trace-oracles.ts'
import { spanIdOf, spanOf, type TestSpan, traceIdOf } from './trace-spans.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const HOUR_MS = 3_600_000
const HOUR = testHourMs

const range = { from: toDateTime64(HOUR), to: toDateTime64(HOUR + HOUR_MS) }

afterAll(dropDatabases)

/** A plan of spans: name, parent, from and to in milliseconds, and what else they are. */
type Plan = readonly (readonly [
  string,
  string,
  number,
  number,
  Readonly<Record<string, unknown>>?,
])[]
const traceOf = (name: string, startMs: number, plan: Plan): readonly TestSpan[] =>
  plan.map(([span, parent, from, to, fields]) =>
    spanOf(HOUR + startMs, name, [span, parent, from, to], fields),
  )

const call = (model: string, cost: bigint | null) => ({
  kind: 'llm',
  request_model: model,
  price_status: cost === null ? 'unpriced' : 'priced',
  cost_pico_usd: cost,
  input_tokens: 1_200n,
  output_tokens: 90n,
})
const tool = { kind: 'tool' }
const failed = { kind: 'tool', error_type: 'timeout', status: 'error' }

/** Tools at once, one of them tried again; the answer is made of both. */
const agent = traceOf('agent', 60_000, [
  ['agent', '', 0, 1_000, { kind: 'agent', endpoint: '/v1/agent', service: 'api', feature: 'ask' }],
  ['plan', 'agent', 10, 210, call('gpt-4o', 1_500_000_000n)],
  ['search', 'agent', 220, 520, tool],
  ['read', 'agent', 230, 300, failed],
  ['read again', 'agent', 310, 500, tool],
  ['answer', 'agent', 530, 980, call('gpt-4o-mini', null)],
])
/** An evaluator that goes on after the answer was given, and a step that overlaps it. */
const late = traceOf('late', 120_000, [
  ['root', '', 0, 500],
  ['llm', 'root', 50, 400, call('gpt-4o', 2_000_000_000n)],
  ['judge', 'llm', 380, 2_500, { kind: 'evaluator' }],
  ['store', 'root', 410, 480, tool],
])
/** A job that waited in a queue when its parent had ended. */
const queued = traceOf('queued', 180_000, [
  ['request', '', 0, 100],
  ['job', 'request', 300, 400, tool],
])
/** Spans whose parents never came. */
const orphans = traceOf('orphans', 240_000, [
  ['first', 'lost', 0, 100, tool],
  ['second', 'also lost', 150, 300, tool],
])
/** Starts in one hour and goes on in the next. */
const overnight = traceOf('overnight', HOUR_MS - 500, [
  ['root', '', 0, 2_000, { kind: 'http', endpoint: '/v1/night' }],
  ['step', 'root', 700, 1_900, tool],
])
/** A clock that is behind: the child seems to start before its parent. */
const skewed = traceOf('skewed', 300_000, [
  ['root', '', 100, 500],
  ['child', 'root', 50, 300, tool],
])
/** Two that name one another, one that names itself, and one in order. */
const circle = traceOf('circle', 360_000, [
  ['a', 'b', 0, 100],
  ['b', 'a', 0, 100],
  ['self', 'self', 0, 100],
  ['root', '', 0, 50],
])
const byHand = [agent, late, queued, orphans, overnight, skewed, circle].flat()

const SPAN_TIMES = `span_times(trace_ids = {trace:String}, from = '1970-01-01 00:00:00', to = '2100-01-01 00:00:00')`

describe('Traces made by hand', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await databaseWith(byHand)
  })

  const pathOf = async (name: string) => {
    const rows = await clickhouse.query<{ name: string; kind: string; path_ms: number }>(
      'SELECT name, kind, path_ms FROM critical_path(trace_id = {trace:String})',
      { trace: traceIdOf(name) },
    )
    return rows.map((row) => [row.name === '' ? row.kind : row.name, row.path_ms])
  }

  test.each([
    // Of the tools that ran at once the search ended last; what is between steps is the agent's.
    [
      'agent',
      [
        ['agent', 50],
        ['plan', 200],
        ['search', 300],
        ['answer', 450],
      ],
    ],
    // What nobody waited for decides the end; before it, what led to it.
    [
      'late',
      [
        ['root', 50],
        ['llm', 330],
        ['judge', 2_120],
      ],
    ],
    [
      'queued',
      [
        ['request', 100],
        ['job', 100],
        ['waiting', 200],
      ],
    ],
    [
      'orphans',
      [
        ['first', 100],
        ['second', 150],
        ['waiting', 50],
      ],
    ],
    [
      'overnight',
      [
        ['root', 800],
        ['step', 1_200],
      ],
    ],
    // The 50 ms before the root are nobody's: a step is cut to its parent's time.
    [
      'skewed',
      [
        ['child', 200],
        ['root', 200],
        ['waiting', 50],
      ],
    ],
    [
      'circle',
      [
        ['root', 50],
        ['waiting', 50],
      ],
    ],
    ['of none', []],
  ])('%s: the critical path adds up to the duration', async (name, expected) => {
    expect(await pathOf(name)).toEqual(expected)
  })

  test('a step of the critical path tells what it was', async () => {
    const rows = await clickhouse.query(
      `SELECT * FROM critical_path(trace_id = {trace:String}) WHERE name = 'plan'`,
      { trace: traceIdOf('agent') },
    )
    expect(rows).toEqual([
      {
        span_id: spanIdOf('agent/plan'),
        depth: '2',
        name: 'plan',
        service: '',
        kind: 'llm',
        model: 'gpt-4o',
        error_type: '',
        cost_usd: '0.0015',
        offset_ms: 10,
        duration_ms: 200,
        self_ms: 200,
        path_ms: 200,
        share: 0.2,
      },
    ])
  })

  test('self time counts children that ran at once one time', async () => {
    const rows = await clickhouse.query<{ name: string; self: number; critical: number }>(
      `SELECT name, self_nano / 1000000 AS self, is_critical AS critical FROM ${SPAN_TIMES} ORDER BY start_nano`,
      { trace: traceIdOf('agent') },
    )
    expect(rows.map(({ name, self, critical }) => [name, self, critical])).toEqual([
      ['agent', 50, 1],
      ['plan', 200, 1],
      ['search', 300, 1],
      ['read', 70, 0],
      ['read again', 190, 0],
      ['answer', 450, 1],
    ])
  })

  test('spans in a circle have no place, the others keep theirs', async () => {
    const rows = await clickhouse.query(`SELECT name FROM ${SPAN_TIMES}`, {
      trace: traceIdOf('circle'),
    })
    expect(rows).toEqual([{ name: 'root' }])
  })

  test('a trace in two hours is one, of the hour in which it started', async () => {
    const sql = `SELECT trace_id, duration_nano / 1000000 AS ms, toUInt32(spans) AS spans
      FROM trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
      WHERE trace_id = {trace:String}`
    const of = (hours: number) =>
      clickhouse.query(sql, {
        from: toDateTime64(HOUR + hours * HOUR_MS),
        to: toDateTime64(HOUR + (hours + 1) * HOUR_MS),
        trace: traceIdOf('overnight'),
      })
    expect(await of(0)).toEqual([{ trace_id: traceIdOf('overnight'), ms: 2_000, spans: 2 }])
    expect([await of(-1), await of(1)]).toEqual([[], []])
  })

  test('a trace is shaped as the trace panel wants it', async () => {
    const rows = await clickhouse.query<Readonly<Record<string, unknown>>>(
      'SELECT * FROM trace_waterfall(trace_id = {trace:String})',
      { trace: traceIdOf('agent') },
    )
    expect(rows.map((row) => row['operationName'])).toEqual([
      'agent',
      'plan',
      'search',
      'read',
      'read again',
      'answer',
    ])
    expect(rows[3]).toEqual({
      traceID: traceIdOf('agent'),
      spanID: spanIdOf('agent/read'),
      parentSpanID: spanIdOf('agent/agent'),
      serviceName: '',
      operationName: 'read',
      startTime: HOUR + 60_230,
      duration: 70,
      kind: '',
      statusCode: 2,
      statusMessage: '',
      tags: [
        { key: 'spanmeter.kind', value: 'tool' },
        { key: 'spanmeter.self_ms', value: '70' },
        { key: 'error.type', value: 'timeout' },
        { key: 'tenant', value: 'acme' },
      ],
      serviceTags: [],
      logs: [],
      references: [],
      instrumentationLibraryName: '',
      instrumentationLibraryVersion: '',
      traceState: '',
    })
    expect(rows[1]?.['tags']).toEqual(
      expect.arrayContaining([
        { key: 'spanmeter.model', value: 'gpt-4o' },
        { key: 'spanmeter.input_tokens', value: '1200' },
        { key: 'spanmeter.cost_usd', value: '0.0015' },
        { key: 'spanmeter.critical_path_ms', value: '200' },
      ]),
    )
  })

  test('events and links of a span come with their attributes', async () => {
    const [span] = traceOf('events', 400_000, [['one', '', 0, 10]])
    const own = await databaseWith([
      {
        ...span!,
        attributes: { a: 'b' },
        resource_attributes: { 'service.name': 'api' },
        events: [
          { time_unix_nano: BigInt(HOUR) * 1_000_000n, name: 'told', attributes: { c: 'd' } },
        ],
        links: [{ trace_id: traceIdOf('x'), span_id: spanIdOf('x'), attributes: { e: 'f' } }],
      },
    ])
    const [row] = await own.query(
      'SELECT tags[-1] AS tag, serviceTags, logs, references FROM trace_waterfall(trace_id = {trace:String})',
      { trace: traceIdOf('events') },
    )
    expect(row).toEqual({
      tag: { key: 'a', value: 'b' },
      serviceTags: [{ key: 'service.name', value: 'api' }],
      logs: [{ name: 'told', timestamp: HOUR, fields: [{ key: 'c', value: 'd' }] }],
      references: [
        { traceID: traceIdOf('x'), spanID: spanIdOf('x'), tags: [{ key: 'e', value: 'f' }] },
      ],
    })
  })

  test('the command shows a trace as a tree', async () => {
    const { code, out } = await spanmeter(clickhouse, ['traces', 'show', traceIdOf('agent')])
    expect(code).toBe(0)
    expect(out.split('\n').slice(1)).toEqual([
      `Started ${new Date(HOUR + 60_000).toISOString()}, tenant acme`,
      'Took 1,000 ms, 6 spans, 2 LLM calls, 1 error, USD 0.0015 + 1 unpriced',
      '',
      'span (● on the critical path)  kind   from ms     ms  self  path     USD',
      '● agent                        agent        0  1,000    50    50',
      '● ├─ plan gpt-4o               llm         10    200   200   200  0.0015',
      '● ├─ search                    tool       220    300   300   300',
      '· ├─ read ✗ timeout            tool       230     70    70',
      '· ├─ read again                tool       310    190   190',
      '● └─ answer gpt-4o-mini        llm        530    450   450   450',
      '',
      'Critical path: llm 65.0 %, tool 30.0 %, agent 5.0 %',
      '',
    ])
  })

  test('the command tells of what is not there', async () => {
    const there = `There are traces from ${new Date(HOUR).toISOString()} to ${new Date(HOUR + 2 * HOUR_MS).toISOString()}.`
    const unknown = await spanmeter(clickhouse, ['traces', 'show', traceIdOf('of none')])
    expect([unknown.code, unknown.err]).toEqual([
      1,
      `error: there is no trace ${traceIdOf('of none')}. ${there}\n`,
    ])
    const early = await spanmeter(clickhouse, ['traces', 'slow', '--to', '2026-01-01'])
    expect([early.code, early.err]).toEqual([
      1,
      `error: no trace started from 2025-12-31T23:00:00.000Z to 2026-01-01T00:00:00.000Z. ${there}\n`,
    ])
    const stranger = ['traces', 'low-quality', '--tenant', 'nobody']
    expect((await spanmeter(clickhouse, stranger)).err).toContain(
      'There are no traces of tenant nobody at all.',
    )
    const flags = [
      '--from',
      new Date(HOUR).toISOString(),
      '--to',
      new Date(HOUR + HOUR_MS).toISOString(),
    ]
    const none = await spanmeter(clickhouse, ['traces', 'slow', ...flags])
    expect([none.code, none.out.startsWith('None of the traces from')]).toEqual([0, true])
    const json = await spanmeter(clickhouse, ['traces', 'slow', '--json', ...flags])
    expect(JSON.parse(json.out)).toEqual({
      from: flags[1],
      to: flags[3],
      traces: [],
      total: 0,
    })
  })
})

/** Traces with every oddity there is: orphans, late and early children, no durations, ties, depth. */
function oddTraces(seed: number, traces: number): readonly TestSpan[] {
  const random = createRandom([seed, 0, 0])
  return Array.from({ length: traces }, (_, number) => {
    const name = `odd ${number}`
    const size = between(random, 1, 14)
    // Few different times make many ties.
    const grid = pick(random, [1, 1, 10, 100])
    return Array.from({ length: size }, (_one, index) => {
      const parent = chance(random, 0.1) ? 'lost' : `${between(random, 0, Math.max(0, index - 1))}`
      const from = between(random, 0, 600 / grid) * grid
      const to = from + between(random, 0, 400 / grid) * grid
      const isRoot = index === 0 && !chance(random, 0.1)
      return spanOf(HOUR + number, name, [`${index}`, isRoot ? '' : parent, from, to], {
        kind: pick(random, ['llm', 'tool', 'agent', 'http']),
        endpoint: index === 0 ? pick(random, ['/a', '/b']) : '',
      })
    })
  }).flat()
}

describe(`Random traces (seed ${SEED})`, () => {
  const spans = oddTraces(SEED, 3_000)
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await databaseWith(spans)
  })

  test('are found slow as sorting finds them, with the times that following them finds', async () => {
    const rows = await clickhouse.query<{
      trace_id: string
      span_id: string
      self_nano: string
      path_nano: string
      is_critical: number
    }>(
      `SELECT trace_id, span_id, self_nano, path_nano, is_critical
       FROM span_times(
         trace_ids = (
           SELECT arrayStringConcat(groupArray(trace_id), ',')
           FROM trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
           WHERE is_slow
         ),
         from = {from:DateTime64(3, 'UTC')},
         to = '2100-01-01 00:00:00'
       )`,
      range,
    )
    const slow = slowTracesOf(spans)
    expect(slow.size).toBeGreaterThanOrEqual(100)
    expect(rows.map((row) => lineOf(row.trace_id, row.span_id, row)).toSorted()).toEqual(
      expectedTimes(spans.filter(({ trace_id: id }) => slow.has(id))),
    )
  })

  test('one by one have the times that following them finds', async () => {
    const ids = [...new Set(spans.map(({ trace_id: id }) => id))]
    for (const id of ids.slice(0, 25)) {
      const own = spans.filter(({ trace_id: other }) => other === id)
      const rows = await clickhouse.query<{
        span_id: string
        self_nano: string
        path_nano: string
        is_critical: number
      }>(`SELECT span_id, self_nano, path_nano, is_critical FROM ${SPAN_TIMES}`, { trace: id })
      expect(rows.map((row) => lineOf(id, row.span_id, row)).toSorted()).toEqual(expectedTimes(own))
    }
  })

  test('have parts of every kind that add up to their durations', async () => {
    const rows = await clickhouse.query<{
      trace_id: string
      duration: string
      parts: string
      least: number
    }>(
      `SELECT trace_id, toString(round(duration_ms, 6)) AS duration,
         toString(round(llm_ms + embedding_ms + retrieval_ms + rerank_ms + tool_ms + agent_ms + other_ms + waiting_ms, 6)) AS parts,
         least(llm_ms, tool_ms, agent_ms, other_ms, waiting_ms) AS least
       FROM slow_traces(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, tenants = [], most = 100000)`,
      range,
    )
    expect(new Set(rows.map((row) => row.trace_id))).toEqual(slowTracesOf(spans))
    for (const { duration, parts, least } of rows) {
      expect(parts).toBe(duration)
      expect(least).toBeGreaterThanOrEqual(0)
    }
  })
})

function lineOf(
  trace: string,
  span: string,
  times: { readonly self_nano: string; readonly path_nano: string; readonly is_critical: number },
): string {
  return `${trace} ${span} self ${times.self_nano} ${times.is_critical === 1 ? `path ${times.path_nano}` : 'aside'}`
}

function expectedTimes(spans: readonly TestSpan[]): readonly string[] {
  return [...Map.groupBy(spans, ({ trace_id: id }) => id)]
    .flatMap(([trace_, own]) =>
      [...timesOfTrace(own)].map(
        ([span, { self, path }]) =>
          `${trace_} ${span} self ${self} ${path === undefined ? 'aside' : `path ${path}`}`,
      ),
    )
    .toSorted()
}
