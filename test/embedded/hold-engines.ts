import { startEmbeddedEngines } from '../integration/start-engines.ts'

// A supervisor to be killed: starts engines on the given data folder, prints their pids and never ends.
const [dataDir = ''] = process.argv.slice(2)
const engines = await startEmbeddedEngines({
  dataDir,
  onProgress: (engine, message) => process.stderr.write(`${engine}: ${message}\n`),
})
const pids = [engines.current('kafka')?.pid, engines.current('clickhouse')?.pid]
process.stdout.write(`${JSON.stringify({ pids })}\n`)
