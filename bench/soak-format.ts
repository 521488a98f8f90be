import { count, percent, seconds, table } from './format.ts'
import { formatLoad, formatVerdict } from './overload-format.ts'
import type { SoakReport } from './soak.ts'
import type { ProcessTrend, SoakTrends, Trend } from './soak-report.ts'

const MIB = 2 ** 20
const MS_PER_MINUTE = 60_000

/** The report as a person reads it. */
export function formatSoakReport(report: SoakReport): string {
  const { totals, trends } = report
  const due = totals.requests + totals.unsent
  return [
    ...formatLoad(report),
    `${count(totals.accepted)} of ${count(due)} requests accepted (${percent(totals.accepted / due)})`,
    '',
    `${trends.samples} samples after a warm-up of ${(trends.warmUpMs / MS_PER_MINUTE).toFixed(1)} min: ` +
      'mean, and growth an hour ± its standard error',
    ...formatProcesses(trends),
    '',
    ...table([
      ['records to be read', 'mean', 'most'],
      ['  into ClickHouse', tenths(trends.lag.spans.mean), count(trends.lag.spans.max)],
      ['  by alert', tenths(trends.lag.alerts.mean), count(trends.lag.alerts.max)],
      ['all in ClickHouse after the last request, s', seconds(report.readMs)],
    ]),
    '',
    formatVerdict(report.verdict),
  ].join('\n')
}

function formatProcesses({ processes }: SoakTrends): readonly string[] {
  return table([
    ['', 'resident, MiB', 'heap, MiB', 'open files', 'handles', 'threads'],
    ...processes.map(row),
  ])
}

function row({ name, rssBytes, heapBytes, files, handles, threads }: ProcessTrend) {
  return [
    name,
    formatTrend(rssBytes, MIB),
    formatTrend(heapBytes, MIB),
    formatTrend(files, 1),
    formatTrend(handles, 1),
    formatTrend(threads, 1),
  ]
}

function formatTrend(trend: Trend | null, unit: number): string {
  if (trend === null) return ''
  const { mean, growthPerHour, error } = trend
  const sign = growthPerHour < 0 ? '−' : '+'
  const growth = tenths(Math.abs(growthPerHour) / unit)
  return `${tenths(mean / unit)} ${sign}${growth} ± ${tenths(error / unit)}`
}

function tenths(value: number): string {
  return value.toFixed(1)
}
