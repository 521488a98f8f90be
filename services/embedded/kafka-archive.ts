import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EmbeddedError } from './embedded-error.ts'
import type { Progress } from './engine.ts'
import type { Java } from './java.ts'
import { KAFKA, startBroker } from './kafka-broker.ts'
import { findFreePorts } from './ports.ts'

/** Where the jars are, and which Java will run them. */
export interface ArchiveOptions {
  readonly jars: string
  readonly java: Java
  readonly onProgress: Progress
}

const HEAP_BYTES = 268_435_456
const START_DEADLINE_MS = 60_000

/**
 * Java's archive of the classes that a broker loads (class data sharing), which halves the time and
 * CPU of every later start. It is made once per Java by a broker that starts and stops on a folder of
 * its own. Undefined where this Java makes none: brokers then start without.
 */
export async function ensureClassArchive(options: ArchiveOptions): Promise<string | undefined> {
  const archive = join(options.jars, `classes-${options.java.version}.jsa`)
  if (!existsSync(archive)) {
    options.onProgress(KAFKA, 'preparing for quick starts (once, about 10 s)')
    await makeArchive(archive, options)
  }
  return statSync(archive, { throwIfNoEntry: false })?.size ? archive : undefined
}

// An empty archive says that this Java made none, so that it is not tried again at every start.
async function makeArchive(archive: string, { jars, java }: ArchiveOptions): Promise<void> {
  const folder = mkdtempSync(`${archive}-`)
  const unfinished = join(folder, 'classes.jsa')
  try {
    const [port = 0, controllerPort = 0] = await findFreePorts(2)
    const broker = await startBroker({
      folder: join(folder, 'kafka'),
      logDir: join(folder, 'logs'),
      java: java.command,
      jars,
      jvmFlags: [`-XX:ArchiveClassesAtExit=${unfinished}`],
      heapBytes: HEAP_BYTES,
      port,
      controllerPort,
      startDeadlineMs: START_DEADLINE_MS,
    })
    await broker.stop()
    if (!existsSync(unfinished)) writeFileSync(unfinished, '')
    renameSync(unfinished, archive)
  } catch (error) {
    // A broker that does not start here does not start for real either, and says there why.
    if (!(error instanceof EmbeddedError)) throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
