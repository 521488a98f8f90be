import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { messageOf } from '#runtime/errors.ts'
import { EmbeddedError } from './embedded-error.ts'
import type { Progress } from './engine.ts'
import { noMaven } from './java.ts'

const POM = fileURLToPath(new URL('pom.xml', import.meta.url))
const KEPT_LINES = 15
const REPORT_EVERY_MS = 1_000

/**
 * The folder with the jars of Kafka, downloaded when the cache has none for this pom.xml. The folder
 * appears whole or not at all. Throws EmbeddedError without Maven, or when the download fails.
 */
export async function ensureKafkaJars(cacheDir: string, onProgress: Progress): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  const folder = join(cacheDir, `kafka-${digest}`)
  if (existsSync(folder)) return folder
  const unfinished = makeFolder(cacheDir, folder)
  try {
    onProgress('Kafka', `downloading Kafka 4.1.1 (about 45 MB, once) into ${folder}`)
    await copyJars(unfinished, onProgress)
    moveInPlace(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}

function makeFolder(cacheDir: string, folder: string): string {
  try {
    mkdirSync(cacheDir, { recursive: true })
    return mkdtempSync(`${folder}-`)
  } catch (error) {
    const why = messageOf(error)
    throw new EmbeddedError(
      `The cache folder ${cacheDir} cannot be written (${why}). ` +
        'Set SPANMETER_CACHE_DIR to a folder that can be.',
    )
  }
}

// Another starter may have finished its own download first; its jars are the same.
function moveInPlace(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

async function copyJars(outputDirectory: string, onProgress: Progress): Promise<void> {
  const maven = spawn(
    'mvn',
    [
      '--batch-mode',
      `--file=${POM}`,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${outputDirectory}`,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = new Promise<number | null>((resolve, reject) => {
    maven.once('error', reject)
    maven.once('close', (code) => resolve(code))
  })
  const lines: string[] = []
  let jars = 0
  let reported = 0
  let reportedAt = Date.now()
  createInterface({ input: maven.stdout }).on('line', (line) => {
    lines.push(line)
    if (lines.length > KEPT_LINES) lines.shift()
    if (/Downloaded.*\.jar/.test(line)) jars += 1
    if (jars > reported && Date.now() - reportedAt >= REPORT_EVERY_MS) {
      reported = jars
      reportedAt = Date.now()
      onProgress('Kafka', `downloading, ${jars} files so far`)
    }
  })
  const code = await ended.catch((error: unknown) => {
    throw isMissing(error) ? noMaven() : error
  })
  if (code === 0) return
  throw new EmbeddedError(
    `Maven could not download Kafka (exit code ${code}). See whether this machine reaches Maven ` +
      `Central, or set a proxy or mirror in ~/.m2/settings.xml. Maven's last lines:\n` +
      lines.map((line) => `  ${line}`).join('\n'),
  )
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
