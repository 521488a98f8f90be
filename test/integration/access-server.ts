import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import type { Env } from '#runtime/config.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { parseAccessConfig } from '../../services/cli/access/access-config.ts'
import { accessUsers } from '../../services/cli/access/access-users.ts'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'
import { startEngines } from '../../services/embedded/engines.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'

/** What the server said: the rows, or what it refused and the code of the error. */
export interface Answer {
  /** 0 where nothing failed. */
  readonly code: number
  readonly text: string
}

/** A ClickHouse whose users are made from the configuration. */
export interface AccessServer {
  readonly url: string
  readonly env: Env
  ask(user: string, sql: string, settings?: Readonly<Record<string, string>>): Promise<Answer>
  /** Rows as texts, from the user `default`, who sees everything; throws if it is refused. */
  rows(sql: string): Promise<readonly string[]>
  /** Brings a database up to the migrations as a user. */
  migrate(user: string, database: string): Promise<readonly string[]>
  stop(): Promise<void>
}

export const DATABASE = 'spanmeter'
export const ACCESS_DENIED = 497

/** Each user's password, told by its name; `default` has none. */
export const passwordOf = (user: string): string => (user === 'default' ? '' : `${user}-password-1`)

/** Boots it with the users that an access file and the variables of Spanmeter's own users say. */
export async function startAccessServer(
  accessFile: string,
  extra: Env = {},
): Promise<AccessServer> {
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-access-'))
  const file = join(folder, 'access.yaml')
  await writeFile(file, accessFile)
  const [http = 0, native = 0] = await findFreePorts(2)
  const env: Env = {
    ...process.env,
    SPANMETER_DATA_DIR: join(folder, 'data'),
    // Only ClickHouse is started: this test asks nothing of Kafka.
    SPANMETER_KAFKA_BROKERS: '127.0.0.1:1',
    SPANMETER_CLICKHOUSE_HTTP_PORT: String(http),
    SPANMETER_CLICKHOUSE_NATIVE_PORT: String(native),
    SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD: passwordOf('migrator'),
    SPANMETER_CLICKHOUSE_WRITER_PASSWORD: passwordOf('writer'),
    SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD: passwordOf('grafana'),
    SPANMETER_ACCESS: file,
    ...extra,
  }
  const engines = await startEngines(parseEmbeddedConfig(env), {
    onProgress: (engine, message) => process.stderr.write(`${engine}: ${message}\n`),
    clickhouseAccess: accessUsers(parseAccessConfig(env)),
  })
  const url = engines.clickhouseUrl
  const ask: AccessServer['ask'] = (user, sql, settings = {}) => request(url, user, sql, settings)
  return {
    url,
    env,
    ask,
    async rows(sql) {
      const { code, text } = await ask('default', sql)
      if (code !== 0) throw new Error(`${text} ${sql.slice(0, 500)}`)
      return text.split('\n').filter((line) => line !== '')
    },
    async migrate(user, database) {
      const clickhouse = connectClickHouse({ url, user, password: passwordOf(user), database })
      try {
        return await migrate(clickhouse, { variables: parseMigrationVariables({}) })
      } finally {
        await clickhouse.close()
      }
    },
    async stop() {
      await engines.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function request(
  url: string,
  user: string,
  sql: string,
  settings: Readonly<Record<string, string>>,
): Promise<Answer> {
  // The server waits with its answer, so that one that fails halfway is not taken for rows.
  const query = new URLSearchParams({ database: DATABASE, wait_end_of_query: '1', ...settings })
  const response = await fetch(`${url}/?${query.toString()}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': passwordOf(user) },
    body: sql,
  })
  const text = await response.text()
  const code = Number(response.headers.get('x-clickhouse-exception-code') ?? 0)
  return { code: response.ok ? code : code || -1, text }
}
