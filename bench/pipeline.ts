import { startWorkers, type WorkerName, type Workers } from '../services/cli/workers.ts'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Env } from '#runtime/config.ts'
import { BenchError } from './bench-error.ts'
import { waitUntilLanded } from './landing.ts'
import { type Metered, type RunResult, startMeter } from './meter.ts'

/** What a run of the workers needs; records lie in the topic and tables are made. */
export interface PipelineRun {
  /** The environment of the workers. */
  readonly env: Env
  readonly engines: readonly Metered[]
  /** Connected to the database that the workers write. */
  readonly clickhouse: ClickHouse
  readonly spans: number
  readonly logDir: string
  readonly signal: AbortSignal
}

const READY_DEADLINE_MS = 60_000
/** What the Collector does too. Alerts are measured by themselves, see alerts.ts. */
const NAMES: readonly WorkerName[] = ['ingest', 'enrich', 'sink']

/** Starts the workers on a full topic and measures until every span is queryable. */
export async function measurePipeline(run: PipelineRun): Promise<RunResult> {
  const failing = new AbortController()
  const signal = AbortSignal.any([run.signal, failing.signal])
  const meter = startMeter(run.engines)
  const starting = startWorkers({
    names: NAMES,
    env: run.env,
    logDir: run.logDir,
    readyDeadlineMs: READY_DEADLINE_MS,
    // A worker that ends spoils the run, although it would be started again.
    onProgress: (message) => failing.abort(new BenchError(message)),
  })
  starting.catch((error: unknown) => failing.abort(error))
  try {
    await waitUntilLanded(run.clickhouse, run.spans, `See the logs in ${run.logDir}`, signal)
    return meter.stop(metered(await starting), run.spans)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    const workers = await starting.catch(() => undefined)
    await workers?.stop()
  }
}

function metered(workers: Workers): readonly Metered[] {
  return NAMES.map((name) => {
    const pid = workers.pid(name)
    if (pid === undefined) throw new BenchError(`${name} does not run.`)
    return { name, pid }
  })
}
