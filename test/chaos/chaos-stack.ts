import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectClickHouse, type ClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { setUp } from '../../services/cli/stack.ts'
import { parseEmbeddedConfig } from '../../services/embedded/config.ts'
import { startEngines, type Engines } from '../../services/embedded/engines.ts'
import { silent } from '../support/stack.ts'
import { mountDisk, type Disk } from './disk.ts'
import { type Link, openLink } from './links.ts'
import { COPIES, type LinkName, type Slot, SLOTS } from './plan.ts'
import { startSlot, type RunningSlot } from './slots.ts'

/** Everything that is put to the test: engines, links between all of it, and workers. */
export interface ChaosStack {
  readonly env: Env
  readonly engines: Engines
  /** Straight to the engines, not through a link. */
  readonly clickhouse: ClickHouse
  readonly kafka: Kafka
  /** Undefined where the machine does not let it be mounted. */
  readonly disk: Disk | undefined
  readonly dataDir: string
  readonly logDir: string
  readonly httpPort: number
  readonly grpcPort: number
  readonly producerEnv: Env
  link(name: LinkName): Link
  /** Undefined for a copy that is not there. */
  slot(name: Slot): RunningSlot | undefined
  /** Starts a copy unless it is there. */
  startCopy(name: Slot): Promise<RunningSlot | undefined>
  clockFile(name: Slot): string
  stop(options: { readonly keepData: boolean }): Promise<void>
}

export interface ChaosStackOptions {
  readonly rules: string
  readonly channels: string
  readonly tell: (message: string) => void
}

const KAFKA_CLIENTS = [...SLOTS, ...COPIES, 'producer'] as const
const SINKS = ['sink', 'sink-2'] as const
const START_SECONDS = '240'
const SESSION_TIMEOUT_MS = '4000'

/** What is to be undone at the end, the last first. */
type Undo = (() => Promise<void>)[]

/** Starts everything in a data folder of its own. What was started is stopped when a step fails. */
export async function startChaosStack(options: ChaosStackOptions): Promise<ChaosStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-chaos-'))
  const disk = await mountDisk(join(dataDir, 'clickhouse'))
  const undo: Undo = []
  const stop = async ({ keepData }: { readonly keepData: boolean }) => {
    for (const step of undo.splice(0).toReversed()) await step()
    if (keepData) await disk?.keep()
    await disk?.unmount()
    if (!keepData) await rm(dataDir, { recursive: true, force: true })
  }
  try {
    return { ...(await startAll(dataDir, options, undo)), disk, dataDir, stop }
  } catch (error) {
    await stop({ keepData: true })
    throw error
  }
}

async function startAll(
  dataDir: string,
  options: ChaosStackOptions,
  undo: Undo,
): Promise<Omit<ChaosStack, 'disk' | 'dataDir' | 'stop'>> {
  const ports = await choosePorts()
  const engines = await startEnginesBehindLinks(dataDir, ports, options.tell)
  undo.push(() => engines.stop())
  const links = await openLinks(ports)
  undo.push(async () => {
    await Promise.all([...links.values()].map((link) => link.close()))
  })
  const env = await commonEnv(dataDir, ports, engines, options)
  const config = parseCommonConfig(env)
  await setUp(env, config, silent, () => undefined)
  const clickhouse = connectClickHouse(config.clickhouse, silent)
  undo.push(() => clickhouse.close())
  const kafka = connectKafka(config.kafka, 'chaos', silent)
  undo.push(() => kafka.close())
  const workers = await startWorkersOf(dataDir, env, ports, undo)
  return {
    env,
    engines,
    clickhouse,
    kafka,
    ...workers,
    httpPort: ports.of('clients>http'),
    grpcPort: ports.of('clients>grpc'),
    producerEnv: slotEnvOf(env, 'producer', ports),
    link: (name) => need(links.get(name), name),
  }
}

async function startWorkersOf(
  dataDir: string,
  env: Env,
  ports: Ports,
  undo: Undo,
): Promise<Pick<ChaosStack, 'slot' | 'startCopy' | 'clockFile' | 'logDir'>> {
  const logDir = join(dataDir, 'worker-logs')
  const slots = new Map<Slot, RunningSlot>()
  const starting = new Set<Slot>()
  const clockFile = (name: Slot) => join(dataDir, `${name}.clock`)
  const start = async (name: Slot) => {
    const slotEnv = { ...slotEnvOf(env, name, ports), SPANMETER_CHAOS_CLOCK: clockFile(name) }
    const slot = await startSlot({ name, env: slotEnv, logDir: join(logDir, name) })
    slots.set(name, slot)
    return slot
  }
  undo.push(async () => {
    await Promise.all([...slots.values()].map((slot) => slot.stop()))
  })
  const started = await Promise.allSettled(SLOTS.map(start))
  for (const one of started) if (one.status === 'rejected') throw one.reason
  return {
    logDir,
    clockFile,
    slot: (name) => slots.get(name),
    async startCopy(name) {
      if (slots.has(name) || starting.has(name)) return undefined
      starting.add(name)
      // It may well be killed, or find no broker, before it is ready.
      const slot = await start(name).catch(() => undefined)
      starting.delete(name)
      slot?.onStopped(() => slots.delete(name))
      return slot
    },
  }
}

function need<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`there is no ${name}`)
  return value
}

/** A port for everything that listens, and for every link to it. */
interface Ports {
  readonly of: (name: string) => number
  readonly detours: readonly { readonly port: number; readonly advertisedPort: number }[]
}

const LISTENERS = ['kafka', 'http', 'native', 'otlp-http', 'otlp-grpc'] as const
const FIRST_PORT = 20_000
const LAST_PORT = 32_000

/** Below those that systems give to connections: an engine that is down must not lose its port. */
async function choosePorts(): Promise<Ports> {
  const kafkaLinks = KAFKA_CLIENTS.map((name): LinkName => `${name}>kafka`)
  const names = [
    ...LISTENERS,
    ...kafkaLinks,
    ...kafkaLinks.map((name) => `${name} listener`),
    ...SINKS.map((name) => `${name}>clickhouse`),
    'clients>http',
    'clients>grpc',
  ]
  const byName = new Map<string, number>()
  for (const name of names) {
    let port = 0
    do port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT))
    while ([...byName.values()].includes(port) || !(await isFree(port)))
    byName.set(name, port)
  }
  const of = (name: string) => need(byName.get(name), name)
  const detours = kafkaLinks.map((name) => ({
    port: of(`${name} listener`),
    advertisedPort: of(name),
  }))
  return { of, detours }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}

async function startEnginesBehindLinks(
  dataDir: string,
  { of, detours }: Ports,
  tell: (message: string) => void,
): Promise<Engines> {
  const config = parseEmbeddedConfig({
    HOME: process.env['HOME'],
    SPANMETER_CACHE_DIR: process.env['SPANMETER_CACHE_DIR'],
    SPANMETER_DATA_DIR: dataDir,
    SPANMETER_KAFKA_PORT: String(of('kafka')),
    SPANMETER_CLICKHOUSE_HTTP_PORT: String(of('http')),
    SPANMETER_CLICKHOUSE_NATIVE_PORT: String(of('native')),
    SPANMETER_EMBEDDED_START_SECONDS: START_SECONDS,
  })
  const kafka = { ...need(config.kafka, 'settings of Kafka'), detours }
  return startEngines(
    { ...config, kafka },
    { onProgress: (engine, message) => tell(`${engine}: ${message}`) },
  )
}

async function openLinks({ of }: Ports): Promise<ReadonlyMap<LinkName, Link>> {
  const ends: readonly (readonly [LinkName, string])[] = [
    ...KAFKA_CLIENTS.map((name) => [`${name}>kafka`, `${name}>kafka listener`] as const),
    ...SINKS.map((name) => [`${name}>clickhouse`, 'http'] as const),
    ['clients>http', 'otlp-http'],
    ['clients>grpc', 'otlp-grpc'],
  ]
  const links = new Map<LinkName, Link>()
  for (const [name, end] of ends) links.set(name, await openLink(of(name), of(end)))
  return links
}

async function commonEnv(
  dataDir: string,
  { of }: Ports,
  engines: Engines,
  { rules, channels }: ChaosStackOptions,
): Promise<Env> {
  const files = { rules: join(dataDir, 'rules.yaml'), channels: join(dataDir, 'channels.yaml') }
  await writeFile(files.rules, rules)
  await writeFile(files.channels, channels)
  return {
    ...process.env,
    SPANMETER_KAFKA_BROKERS: engines.brokers.join(','),
    SPANMETER_CLICKHOUSE_URL: engines.clickhouseUrl,
    SPANMETER_OTLP_HTTP_PORT: String(of('otlp-http')),
    SPANMETER_OTLP_GRPC_PORT: String(of('otlp-grpc')),
    SPANMETER_INGEST_METRICS_PORT: '0',
    SPANMETER_ENRICH_METRICS_PORT: '0',
    SPANMETER_SINK_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
    SPANMETER_KAFKA_SESSION_TIMEOUT_MS: SESSION_TIMEOUT_MS,
    SPANMETER_ALERT_RULES: files.rules,
    SPANMETER_ALERT_SHIPPED_RULES: 'false',
    SPANMETER_ALERT_CHANNELS: files.channels,
    // While nothing gets through, no clock may say that nothing more comes.
    SPANMETER_ALERT_IDLE_MS: '3600000',
    // Small fetches make many chunks, so that faults fall between as many steps as can be.
    SPANMETER_SINK_MAX_BATCH_BYTES: '262144',
    SPANMETER_SINK_MIN_BATCH_BYTES: '65536',
  }
}

/** The environment of one process: its own ways to the engines. */
function slotEnvOf(env: Env, name: (typeof KAFKA_CLIENTS)[number], { of }: Ports): Env {
  const sink = SINKS.find((one) => one === name)
  return {
    ...env,
    SPANMETER_KAFKA_BROKERS: `127.0.0.1:${of(`${name}>kafka`)}`,
    ...(sink === undefined
      ? {}
      : { SPANMETER_CLICKHOUSE_URL: `http://127.0.0.1:${of(`${sink}>clickhouse`)}` }),
  }
}
