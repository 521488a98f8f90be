import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { testScoresFile, testSpansFile, type TestScore, type TestSpan } from './trace-spans.ts'

const HOUR_MS = 3_600_000
const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

/** The hour that tests put traces in: older spans would be past their retention at once. */
export const testHourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 4 * HOUR_MS

const opened: ClickHouse[] = []

/** A database of its own with some spans and scores. */
export async function databaseWith(
  spans: readonly TestSpan[],
  scores: readonly TestScore[] = [],
): Promise<ClickHouse> {
  const clickhouse = connectClickHouse({
    url: inject('clickhouseUrl'),
    user: 'default',
    password: '',
    database: `traces_${randomBytes(4).toString('hex')}`,
  })
  opened.push(clickhouse)
  await migrate(clickhouse, { variables: parseMigrationVariables({}) })
  // In two inserts, as a trace seldom comes in one.
  for (const part of [0, 1]) {
    const file = testSpansFile(spans.filter((_, index) => index % 2 === part))
    await clickhouse.insertAvro({ table: 'spans_landing', file, token: `spans ${part}` })
  }
  const file = testScoresFile(scores)
  await clickhouse.insertAvro({ table: 'evaluations_landing', file, token: 'scores' })
  return clickhouse
}

/** Ends all databases that were made here. */
export async function dropDatabases(): Promise<void> {
  for (const clickhouse of opened) {
    await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
    await clickhouse.close()
  }
}

/** Runs a command of the CLI on a database. */
export async function spanmeter(
  { database }: ClickHouse,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      ...process.env,
      SPANMETER_CLICKHOUSE_URL: inject('clickhouseUrl'),
      SPANMETER_CLICKHOUSE_DATABASE: database,
    },
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...said }
}
