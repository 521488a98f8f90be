import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { EmbeddedError } from './embedded-error.ts'
import { startEngine, type Engine } from './engine.ts'
import { answersMetadata } from './kafka-probe.ts'
import { brokerProperties, type Detour } from './kafka-properties.ts'

/** How the engine is called in messages. */
export const KAFKA = 'Kafka'

/** A broker whose Java, jars and ports are known. */
export interface BrokerSpec {
  readonly folder: string
  readonly logDir: string
  readonly java: string
  readonly jars: string
  readonly jvmFlags: readonly string[]
  readonly heapBytes: number
  readonly port: number
  readonly controllerPort: number
  readonly detours?: readonly Detour[]
  readonly startDeadlineMs: number
}

const LOG_SETTINGS = fileURLToPath(new URL('kafka-log4j2.xml', import.meta.url))
const FORMAT_TIMEOUT_MS = 60_000

/** Formats the folder when it is new, and starts the broker. Throws EmbeddedError when either fails. */
export async function startBroker(spec: BrokerSpec): Promise<Engine> {
  const { folder, port, controllerPort, detours = [] } = spec
  const dataFolder = join(folder, 'data')
  const properties = join(folder, 'server.properties')
  const logFile = join(spec.logDir, 'kafka.log')
  mkdirSync(folder, { recursive: true })
  writeFileSync(properties, brokerProperties({ port, controllerPort, dataFolder, detours }))
  const java = [
    ...spec.jvmFlags,
    `-Dlog4j2.configurationFile=${pathToFileURL(LOG_SETTINGS).href}`,
    `-Dspanmeter.kafka.log=${logFile}`,
    `-cp`,
    join(spec.jars, '*'),
  ]
  if (!existsSync(join(dataFolder, 'meta.properties'))) await format(spec, java, properties)
  return startEngine({
    name: KAFKA,
    folder,
    logDir: spec.logDir,
    logFile,
    // The serial collector costs least on a small heap and is not put off by records of many megabytes.
    command: [
      spec.java,
      `-Xmx${spec.heapBytes}`,
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      '-Djava.awt.headless=true',
      ...java,
      'kafka.Kafka',
      properties,
    ],
    stopBy: 'SIGTERM',
    isReady: () => answersMetadata(port),
    startDeadlineMs: spec.startDeadlineMs,
  })
}

async function format(
  spec: BrokerSpec,
  java: readonly string[],
  properties: string,
): Promise<void> {
  const args = ['format', '--ignore-formatted', '--cluster-id', clusterId(), '--config', properties]
  try {
    await promisify(execFile)(
      spec.java,
      ['-XX:+UseSerialGC', ...java, 'kafka.tools.StorageTool', ...args],
      { timeout: FORMAT_TIMEOUT_MS },
    )
  } catch (error) {
    const output =
      error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new EmbeddedError(`Kafka could not prepare its folder ${spec.folder}:\n${output.trim()}`)
  }
}

// As `StorageTool random-uuid` makes them: 16 bytes that do not look like an option.
function clusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? clusterId() : id
}
