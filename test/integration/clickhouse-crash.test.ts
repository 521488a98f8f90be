import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { startClickHouse } from '../../services/embedded/clickhouse.ts'
import type { Engine } from '../../services/embedded/engine.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import { auditOf, correctAll, correctionsFile, readAudit } from './corrected-spans.ts'
import { makeSpans, spansFile, type EnrichedSpan } from './enriched-spans.ts'
import { actualRollups, expectedRollups } from './rollups.ts'

// A server of its own, for it is killed: the one that tests share must live.
const NOW = BigInt(Date.now()) * 1_000_000n
const SPANS = 30_000
const DEADLINE_MS = 30_000
const variables = parseMigrationVariables({})
let dataDir = ''
let ports: readonly number[] = []
let engine: Engine | undefined

async function startServer(): Promise<Engine> {
  const [httpPort = 0, nativePort = 0] = ports
  return startClickHouse({
    dataDir,
    httpPort,
    nativePort,
    memoryBytes: 2_000_000_000,
    startDeadlineMs: DEADLINE_MS,
    access: { users: [], profiles: [] },
    onProgress: () => {},
  })
}

function connect(database: string): ClickHouse {
  const url = `http://127.0.0.1:${ports[0]}`
  return connectClickHouse({ url, user: 'default', password: '', database })
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-crash-'))
  ports = await findFreePorts(2)
  engine = await startServer()
})

afterAll(async () => {
  await engine?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const insert = (clickhouse: ClickHouse, spans: readonly EnrichedSpan[]) =>
  clickhouse.insertAvro({ table: 'spans_landing', file: spansFile(spans), token: 'one' })

/** Kills the server as soon as the moment has come, or the insert has ended before it. */
async function killAt(moment: () => Promise<boolean>, isOver: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!isOver() && Date.now() < deadline && !(await moment()));
  if (engine === undefined) throw new Error('no server runs')
  process.kill(engine.pid, 'SIGKILL')
  await engine.exited
}

const correct = (clickhouse: ClickHouse, corrections: readonly PriceCorrection[]) =>
  clickhouse.insertAvro({
    table: 'price_corrections_landing',
    file: correctionsFile(corrections),
    token: 'two',
  })

async function isLanded(clickhouse: ClickHouse, rows: string): Promise<boolean> {
  const [row] = await clickhouse.query<{ n: string }>(`SELECT count() AS n FROM ${rows}`)
  return Number(row?.n) > 0
}

/** Kills the server when `rows` are there, while the insert is under way, and starts it again. */
async function crashDuring(
  before: ClickHouse,
  attempt: Promise<void>,
  rows: string,
): Promise<ClickHouse> {
  let isOver = false
  const over = () => (isOver = true)
  const ended = attempt.then(over, over)
  const moment = () => (rows === 'the request' ? Promise.resolve(true) : isLanded(before, rows))
  await killAt(moment, () => isOver)
  await ended
  await before.close()
  engine = await startServer()
  return connect(before.database)
}

const spans = makeSpans({ seed: 7, count: SPANS, fromNano: NOW, spreadSeconds: 90 })

test.each([
  ['while it is being read', 'the request'],
  ['when the first table has it', 'spans'],
  ['when a rollup has it', 'requests_by_model_1h'],
])(
  'an insert whose server is killed %s lands exactly once when it is repeated',
  async (_, table) => {
    const before = connect(`crash_${table.replace(' ', '_')}`)
    await migrate(before, { variables })
    const after = await crashDuring(before, insert(before, spans), table)
    // Whenever the server died, each table has the whole insert or nothing of it.
    const expected = expectedRollups(spans)
    const having = Object.entries(await actualRollups(after)).filter(([, { length }]) => length > 0)
    expect(expected).toMatchObject(Object.fromEntries(having))
    await insert(after, spans)
    expect(await actualRollups(after)).toEqual(expected)
    await insert(after, spans)
    expect(await actualRollups(after)).toEqual(expected)
    await after.close()
  },
)

test('a part that the server had noted, and not yet moved into place when it was killed, lands by the repeat', async () => {
  const before = connect('crash_noted')
  await migrate(before, { variables })
  await insert(before, spans)
  const parts = await before.query<{ path: string }>(
    `SELECT path FROM system.parts
     WHERE database = 'crash_noted' AND table = 'errors_by_type_1m' AND active`,
  )
  expect(parts.length).toBeGreaterThan(0)
  await killAt(
    () => Promise.resolve(true),
    () => true,
  )
  await before.close()
  for (const { path } of parts) await rm(path, { recursive: true })
  engine = await startServer()
  const after = connect('crash_noted')
  expect((await actualRollups(after))['errors_by_type_1m']).toEqual([])
  await insert(after, spans)
  expect(await actualRollups(after)).toEqual(expectedRollups(spans))
  await after.close()
})

test.each([
  ['while they are being read', 'the request'],
  ['when a rollup has them', 'requests_by_model_1m WHERE requests = 0'],
  ['when the table of corrections has them', 'price_corrections'],
  ['when the last rollup has them', 'traces WHERE spans = 0'],
])(
  'corrections whose server is killed %s land exactly once when they are repeated',
  async (_, rows) => {
    const before = connect(`crash_corrections_${rows.replaceAll(/\W+/g, '_')}`)
    await migrate(before, { variables })
    await insert(before, spans)
    const corrections = correctAll(spans, 'run-1')
    const after = await crashDuring(before, correct(before, corrections), rows)
    const uncorrected = expectedRollups(spans)
    const corrected = expectedRollups(spans, corrections)
    for (const [table, lines] of Object.entries(await actualRollups(after))) {
      expect([uncorrected[table], corrected[table]]).toContainEqual(lines)
    }
    await correct(after, corrections)
    expect(await actualRollups(after)).toEqual(corrected)
    await correct(after, corrections)
    expect(await actualRollups(after)).toEqual(corrected)
    expect(await readAudit(after)).toEqual(auditOf(corrections))
    await after.close()
  },
)
