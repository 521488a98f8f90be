import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'
import { startEngines, type Engines } from '../../services/embedded/engines.ts'
import { processStart } from '../../services/runtime/process-lock.ts'
import { startEmbeddedEngines } from './start-engines.ts'

const SUPERVISOR = fileURLToPath(new URL('../embedded/hold-engines.ts', import.meta.url))
const GONE_DEADLINE_MS = 25_000
const COORDINATOR_DEADLINE_MS = 15_000

let folder: string
let dataDir: string
let engines: Engines

const onProgress = (engine: string, message: string): void => {
  process.stderr.write(`${engine}: ${message}\n`)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-embedded-'))
  dataDir = join(folder, 'data')
  engines = await startEmbeddedEngines({ dataDir, onProgress })
  await query(engines, 'CREATE TABLE kept (n UInt32) ENGINE = MergeTree ORDER BY n')
  await withKafka(engines, (kafka) =>
    kafka.ensureTopics([{ topic: 'kept', partitions: 1, replicationFactor: 1, config: {} }]),
  )
})
afterAll(async () => {
  await engines?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('embedded engines', () => {
  it('keep their data over a clean stop and a start on other ports', async () => {
    await writeOne(engines)
    await engines.stop()
    engines = await startEmbeddedEngines({ dataDir, onProgress })
    expect(await counts(engines)).toEqual({ rows: '1', records: 1n })
  })

  it('say that they were killed, and have their data when they are started again', async () => {
    await writeOne(engines)
    const killed = (['kafka', 'clickhouse'] as const).map(async (name) => {
      const engine = engines.current(name)
      if (engine === undefined) throw new Error(`${name} does not run`)
      process.kill(engine.pid, 'SIGKILL')
      expect(await engine.exited).toEqual({ code: null, signal: 'SIGKILL' })
      const again = await engines.restart(name)
      expect(again.pid).not.toBe(engine.pid)
    })
    await Promise.all(killed)
    expect(await counts(engines)).toEqual({ rows: '2', records: 2n })
  })

  it('refuse a data folder in use and name who uses it', async () => {
    await expect(startEmbeddedEngines({ dataDir, onProgress })).rejects.toThrow(
      `The data folder ${dataDir} is in use by this process (pid ${process.pid}).`,
    )
  })

  it('refuse taken ports, all at once, and name the variables', async () => {
    const config = parseEmbeddedConfig({
      HOME: process.env['HOME'],
      SPANMETER_CACHE_DIR: process.env['SPANMETER_CACHE_DIR'],
      SPANMETER_DATA_DIR: join(folder, 'other'),
      SPANMETER_KAFKA_PORT: portOf(engines.brokers[0]),
      SPANMETER_CLICKHOUSE_HTTP_PORT: portOf(engines.clickhouseUrl),
    })
    await expect(startEngines(config, { onProgress })).rejects.toThrow(
      /SPANMETER_KAFKA_PORT to a free port[^]*SPANMETER_CLICKHOUSE_HTTP_PORT to a free port/,
    )
  })

  it('end with a supervisor that is killed with -9, and leave a folder that starts again', async () => {
    await writeOne(engines)
    await engines.stop()
    const supervisor = await holdEngines(dataDir)
    await supervisor.kill()
    engines = await startEmbeddedEngines({ dataDir, onProgress })
    await vi.waitFor(() => expect(supervisor.pids.filter(isAlive)).toEqual([]), GONE_DEADLINE_MS)
    expect(await counts(engines)).toEqual({ rows: '3', records: 3n })
  })
})

interface Supervisor {
  readonly pids: readonly number[]
  /** Resolves once the process is gone: until then it holds the folder. */
  kill(): Promise<void>
}

async function holdEngines(heldFolder: string): Promise<Supervisor> {
  const child = spawn(process.execPath, [SUPERVISOR, heldFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { pids } = z.object({ pids: z.array(z.number()).length(2) }).parse(JSON.parse(line))
    return { pids, kill: () => killChild(child) }
  }
  throw new Error(`the supervisor ended with ${child.exitCode} before its engines were ready`)
}

async function killChild(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

function isAlive(pid: number): boolean {
  return processStart(pid) !== undefined
}

function portOf(address: string | undefined): string {
  return String(address).split(':').at(-1) ?? ''
}

async function writeOne(target: Engines): Promise<void> {
  await query(target, 'INSERT INTO kept VALUES (1)')
  await withKafka(target, async (kafka) => {
    const writer = await kafka.openWriter()
    const record = { partition: 0, key: null, value: Buffer.from('kept'), headers: {} }
    await writer.write('kept', [record])
    await writer.close()
  })
}

async function counts(target: Engines): Promise<{ rows: string; records: bigint }> {
  return {
    rows: await query(target, 'SELECT count() FROM kept'),
    // A coordinator that still loads refuses; only that is waited for, and the count is compared as it is.
    records: await withKafka(target, (kafka) =>
      vi.waitFor(() => kafka.lag('nobody', 'kept'), COORDINATOR_DEADLINE_MS),
    ),
  }
}

async function query({ clickhouseUrl }: Engines, sql: string): Promise<string> {
  const response = await fetch(clickhouseUrl, { method: 'POST', body: sql })
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text.trim()
}

async function withKafka<T>(target: Engines, use: (kafka: Kafka) => Promise<T>): Promise<T> {
  const kafka = connectKafka(
    { brokers: target.brokers, topicPrefix: '', sessionTimeoutMs: 10_000 },
    'embedded-test',
    createLogger('embedded-test', 'silent'),
  )
  try {
    return await use(kafka)
  } finally {
    await kafka.close()
  }
}
