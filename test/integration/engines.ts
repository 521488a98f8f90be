import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startTestEngines } from './start-engines.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Kafka of the integration tests; every test file makes topics of its own. */
    brokers: readonly string[]
    /** ClickHouse of the integration tests; every test file makes a database of its own. */
    clickhouseUrl: string
    /** Port of its native protocol. */
    clickhouseNativePort: number
  }
}

/** Boots one Kafka and one ClickHouse for all integration tests; gives what ends them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-test-'))
  const engines = await startTestEngines({
    dataDir,
    onProgress: (engine, message) => process.stderr.write(`${engine}: ${message}\n`),
  })
  project.provide('brokers', engines.brokers)
  project.provide('clickhouseUrl', engines.clickhouseUrl)
  project.provide('clickhouseNativePort', engines.clickhouseNativePort)
  return async () => {
    await engines.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
