import { count, formatEnvironment, mebibytes, percent, seconds, table } from './format.ts'
import type { LedgerTotals, Verdict } from './load-ledger.ts'
import type { LoadReport } from './load-stage.ts'
import type { OverloadReport, ProcessReport } from './overload.ts'

/** The report as a person reads it. */
export function formatOverloadReport(report: OverloadReport): string {
  const { totals, processes, mostLag, recovery, retryShare } = report
  return [
    ...formatLoad(report),
    `One sender in ${count(1 / retryShare)} sends again when it is told to, the others never`,
    '',
    ...formatTotals(totals, report.acceptedPerSecond),
    '',
    ...formatProcesses(processes),
    '',
    ...table([
      ['most records to be read', ''],
      ['  into ClickHouse', count(mostLag.spans)],
      ['  by alert', count(mostLag.alerts)],
      ['after the last request, s', ''],
      ['  requests are answered normally', formatAnswering(recovery.answeringMs)],
      ['  all is in ClickHouse', seconds(recovery.spansReadMs)],
      ['  alert has read all', seconds(recovery.alertsReadMs)],
    ]),
    '',
    formatVerdict(report.verdict),
  ].join('\n')
}

/** The lines that reports of both benchmarks under load begin with. */
export function formatLoad(report: LoadReport): readonly string[] {
  const { capacity, offered, minutes, spansPerRequest, bytesPerSpan, latestMs } = report
  return [
    formatEnvironment(report.environment),
    `The pipeline takes ${count(capacity)} spans a second; ${count(offered)} a second were sent ` +
      `(${(offered / capacity).toFixed(1)} ×) for ${minutes} min`,
    `${spansPerRequest} spans a request, ${count(bytesPerSpan)} bytes a span; ` +
      `the latest request was sent ${count(latestMs)} ms after it was due`,
  ]
}

/** Whether what was accepted is there, once. */
export function formatVerdict({ acceptedSpans, lost, doubled, unpromised }: Verdict): string {
  return (
    `${count(acceptedSpans)} spans were accepted: ${count(lost)} lost, ${count(doubled)} doubled; ` +
    `${count(unpromised)} more of requests that were not accepted landed`
  )
}

function formatAnswering(ms: number | null): string {
  return ms === null ? 'never' : seconds(ms)
}

function formatTotals(totals: LedgerTotals, acceptedPerSecond: number): readonly string[] {
  const due = totals.requests + totals.unsent
  return table([
    ['requests', count(due), ''],
    row('  accepted', totals.accepted, due),
    row('  refused', totals.refused, due),
    row('  without an answer', totals.unknown, due),
    row('  not sent: no sender was free', totals.unsent, due),
    ['attempts', count(totals.attempts), ''],
    ...Object.entries(totals.answers).map(([kind, value]) =>
      row(`  ${kind}`, value, totals.attempts),
    ),
    row('429 and 503 with Retry-After', totals.withRetryAfter, totals.backedOff),
    ['accepted spans a second', count(acceptedPerSecond), ''],
  ])
}

function row(label: string, value: number, of: number): readonly string[] {
  return [label, count(value), of === 0 ? '–' : percent(value / of)]
}

function formatProcesses(processes: readonly ProcessReport[]): readonly string[] {
  return table([
    ['process', 'peak MiB', 'limit MiB', 'event loop late by, ms'],
    ...processes.map(({ name, peakBytes, limitBytes, loopDelayMs }) => [
      `  ${name}`,
      mebibytes(peakBytes) + (peakBytes > limitBytes ? ' (over)' : ''),
      mebibytes(limitBytes),
      loopDelayMs === null ? '' : count(loopDelayMs),
    ]),
  ])
}
