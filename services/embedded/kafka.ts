import { join } from 'node:path'
import type { KafkaSettings } from './config.ts'
import { waitForEarlierEngine, type Engine, type Progress } from './engine.ts'
import { findJava } from './java.ts'
import { ensureClassArchive } from './kafka-archive.ts'
import { KAFKA, startBroker } from './kafka-broker.ts'
import { ensureKafkaJars } from './kafka-jars.ts'
import { findFreePorts, requireFreePorts } from './ports.ts'

/** What startKafka needs beside the settings. */
export interface KafkaOptions extends KafkaSettings {
  readonly dataDir: string
  readonly cacheDir: string
  readonly javaHome: string | undefined
  readonly startDeadlineMs: number
  readonly onProgress: Progress
}

/** Starts a broker on loopback; a later start on the same data folder finds the same data. */
export async function startKafka(options: KafkaOptions): Promise<Engine> {
  const { cacheDir, port, heapBytes, startDeadlineMs, onProgress } = options
  const folder = join(options.dataDir, 'kafka')
  const java = await findJava(options.javaHome)
  await waitForEarlierEngine(KAFKA, folder, onProgress)
  const wanted = { port, engine: KAFKA, variable: 'SPANMETER_KAFKA_PORT' }
  await requireFreePorts(
    options.controllerPort === undefined
      ? [wanted]
      : [
          wanted,
          {
            port: options.controllerPort,
            engine: KAFKA,
            variable: 'SPANMETER_KAFKA_CONTROLLER_PORT',
          },
        ],
  )
  const jars = await ensureKafkaJars(cacheDir, onProgress)
  const archive = await ensureClassArchive({ jars, java, onProgress })
  const controllerPort = options.controllerPort ?? (await findFreePorts(1))[0]
  if (controllerPort === undefined) throw new Error('one port was asked for')
  return startBroker({
    folder,
    logDir: join(options.dataDir, 'logs'),
    java: java.command,
    jars,
    jvmFlags: archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`],
    heapBytes,
    port,
    controllerPort,
    detours: options.detours ?? [],
    startDeadlineMs,
  })
}
