import type {
  AlertsReport,
  AlertsWorkload,
  LatencySummary,
  PhaseSummary,
  SubjectRatios,
  SubjectSummary,
} from './alerts-report.ts'
import {
  count,
  formatEnvironment,
  formatProfile,
  formatSpread,
  mebibytes,
  percent,
  seconds,
  table,
  times,
  twoDigits,
} from './format.ts'

/** The report as a person reads it. */
export function formatAlertsReport(report: AlertsReport): string {
  const { environment, workload, subjects, ratios, latencies, profiles = [] } = report
  const runs = subjects[0]?.runs ?? 0
  return [
    formatEnvironment(environment),
    formatWorkload(workload),
    runs === 1 ? '1 run' : `medians of ${runs} runs (least–most)`,
    '',
    ...formatSubjects(subjects),
    ...(ratios.length === 0 ? [] : ['', ...formatRatios(ratios)]),
    ...(latencies.length === 0 ? [] : ['', ...formatLatencies(latencies)]),
    ...profiles.flatMap((profile) => ['', ...formatProfile(profile, workload.spans * 2)]),
  ].join('\n')
}

function formatWorkload({ spans, records, rules, series, ...rest }: AlertsWorkload): string {
  const { bytesPerSpan, partitions, seed } = rest
  return (
    `twice ${count(spans)} spans in ${count(records)} records over ${partitions} partitions, ` +
    `${Math.round(bytesPerSpan)} bytes a span, seed ${seed}; ${rules} rules, ${series} series of spans`
  )
}

function formatSubjects(subjects: readonly SubjectSummary[]): readonly string[] {
  const row = (label: string, cell: (subject: SubjectSummary) => string) => [
    label,
    ...subjects.map(cell),
  ]
  const phase = (of: (subject: SubjectSummary) => PhaseSummary) => [
    row('  spans per CPU second', (one) => formatSpread(of(one).spansPerCpuSecond, count)),
    row('  CPU per span, µs', (one) => formatSpread(of(one).cpuUsPerSpan, twoDigits)),
    row('  time, s', (one) => formatSpread(of(one).wallMs, seconds)),
    row('  CPU of Kafka per span, µs', (one) =>
      formatSpread(of(one).brokerCpuUsPerSpan, twoDigits),
    ),
    row('  CPU of other processes', (one) => formatSpread(of(one).othersShare, percent)),
  ]
  return table([
    row('', ({ name }) => name),
    ['warm'],
    ...phase(({ warm }) => warm),
    ['from the start'],
    ...phase(({ cold }) => cold),
    row('peak memory, MiB', ({ peakBytes }) => formatSpread(peakBytes, mebibytes)),
  ])
}

function formatRatios(ratios: readonly SubjectRatios[]): readonly string[] {
  return table([
    ['spans per CPU second (more is better)', 'warm', 'from the start'],
    ...ratios.map(({ name, warm, cold }) => [`Spanmeter / ${name}`, times(warm), times(cold)]),
  ])
}

function formatLatencies(latencies: readonly LatencySummary[]): readonly string[] {
  return table([
    ['span to notification, ms', 'p50', 'p95', 'p99', 'most', 'alerts', 'load, spans a second'],
    ...latencies.map(({ via, samples, spansPerSecond, p50Ms, p95Ms, p99Ms, maxMs }) => [
      `  ${via}`,
      ...[p50Ms, p95Ms, p99Ms, maxMs, samples, spansPerSecond].map(count),
    ]),
  ])
}
