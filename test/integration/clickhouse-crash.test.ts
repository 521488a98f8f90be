import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { startClickHouse } from '../../services/embedded/clickhouse.ts'
import type { Engine } from '../../services/embedded/engine.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
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
    users: [],
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

async function isLanded(clickhouse: ClickHouse, table: string): Promise<boolean> {
  const [row] = await clickhouse.query<{ n: string }>(`SELECT count() AS n FROM ${table}`)
  return Number(row?.n) > 0
}

test.each([
  ['while it is being read', 'the request'],
  ['when the first table has it', 'spans'],
  ['when a rollup has it', 'requests_by_model_1h'],
])(
  'an insert whose server is killed %s lands exactly once when it is repeated',
  async (_, table) => {
    const database = `crash_${table.replace(' ', '_')}`
    const before = connect(database)
    await migrate(before, { variables })
    const spans = makeSpans({ seed: 7, count: SPANS, fromNano: NOW, spreadSeconds: 90 })
    let isOver = false
    const attempt = insert(before, spans)
      .then(
        () => 'landed',
        () => 'failed',
      )
      .finally(() => (isOver = true))
    const moment = () => (table === 'the request' ? Promise.resolve(true) : isLanded(before, table))
    await killAt(moment, () => isOver)
    await attempt
    await before.close()

    engine = await startServer()
    const after = connect(database)
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
