import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { LoopObserver } from './record-loop.ts'

/** The metrics of one process, served at /metrics. */
export interface Metrics {
  readonly registry: Registry
  /** Writes metrics that are kept elsewhere behind those of the registry. */
  addText(text: () => string): void
  /** The page: all metrics as Prometheus reads them. */
  text(): Promise<string>
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L>
  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Gauge<L>
  /** A gauge that is read when it is asked for. */
  observedGauge(name: string, help: string, read: () => number): void
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L>
}

/** Gauges that prom-client names as counters; the same without `_total` has them by type. */
const MISNAMED = ['handles', 'requests', 'resources'].map(
  (what) => `spanmeter_nodejs_active_${what}_total`,
)

/** Makes the registry of one process; names are spanmeter_<noun>_<unit>_total or the like. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry, prefix: 'spanmeter_' })
  for (const name of MISNAMED) registry.removeSingleMetric(name)
  const registers = [registry]
  const others: (() => string)[] = []
  return {
    registry,
    addText: (text) => void others.push(text),
    async text() {
      const own = await registry.metrics()
      return own + others.map((text) => text()).join('')
    },
    counter: (name, help, labelNames) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames) => new Gauge({ name, help, labelNames, registers }),
    observedGauge(name, help, read) {
      const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) })
    },
    histogram: (name, help, labelNames, buckets) =>
      new Histogram({ name, help, labelNames, buckets: [...buckets], registers }),
  }
}

/** Makes the metrics of the record loop; gives an observer for each topic that a worker reads. */
export function observeLoops(metrics: Metrics): (topic: string) => LoopObserver {
  const records = metrics.counter('spanmeter_records_total', 'Records read.', ['topic'])
  const repeats = metrics.counter(
    'spanmeter_repeated_records_total',
    'Records that had been read before and were dropped.',
    ['topic'],
  )
  const lag = metrics.gauge('spanmeter_lag_records', 'Records still to read.', [
    'topic',
    'partition',
  ])
  const retries = metrics.counter(
    'spanmeter_retries_total',
    'Tries again after a dependency did not answer.',
    ['topic'],
  )
  return (topic) => ({
    handled(partition, count, repeated, behind) {
      records.inc({ topic }, count)
      repeats.inc({ topic }, repeated)
      lag.set({ topic, partition }, Number(behind))
    },
    retried: () => retries.inc({ topic }),
  })
}
