import type { AlertOutcome } from './compare-alerts.ts'
import { type Difference, isDifferent } from './difference.ts'
import type { Done } from './faults.ts'
import type { Monitor, Progress } from './monitor.ts'
import type { FaultKind } from './plan.ts'
import type { Sent } from './producers.ts'

/** What a run has shown. */
export interface Report {
  readonly seed: number
  readonly faults: number
  /** Faults that found what they were for. */
  readonly hit: number
  readonly tookMs: number
  /** From the end of the last fault until nothing was left to read. */
  readonly settledMs: number
  readonly sent: {
    readonly requests: number
    readonly tries: number
    readonly answers: Readonly<Record<string, number>>
  }
  readonly expectedSpans: number
  readonly lost: number
  readonly doubled: number
  readonly late: number
  readonly alerts: Omit<AlertOutcome, 'differences'>
  readonly recovery: readonly Recovery[]
  readonly checks: number
  readonly differences: readonly Difference[]
  /** Errors that ended workers, and how often. */
  readonly crashes: Readonly<Record<string, number>>
  readonly dataDir: string | undefined
}

/** How long it took after faults of a kind until things went on. */
export interface Recovery {
  readonly kind: FaultKind
  readonly faults: number
  readonly medianMs: number
  readonly longestMs: number
}

/** A span that lands later than this after it was taken is late. */
export const LATE_MS = 60_000

/** From the end of each fault until more spans had landed (or, of alert's, more been counted). */
export function recoveries(done: readonly Done[], { seen }: Monitor): readonly Recovery[] {
  const kinds = [...new Set(done.map(({ fault }) => fault.kind))].toSorted()
  return kinds.map((kind) => {
    const times = done
      .filter(({ fault, hit }) => hit && fault.kind === kind)
      .flatMap((one) => recoveryMs(one, seen) ?? [])
      .toSorted((a, b) => a - b)
    return {
      kind,
      faults: times.length,
      medianMs: times[Math.floor(times.length / 2)] ?? 0,
      longestMs: times.at(-1) ?? 0,
    }
  })
}

/** Undefined where nothing came any more, as all had been sent. */
function recoveryMs({ fault, endedMs }: Done, seen: readonly Progress[]): number | undefined {
  const what = fault.target.startsWith('alert') ? 'aggregates' : 'landed'
  const before = seen.findLast(({ atMs }) => atMs <= endedMs)
  const after = seen.find((one) => one.atMs > endedMs && one[what] > (before?.[what] ?? 0))
  return after === undefined ? undefined : Math.round(after.atMs - endedMs)
}

/** Tells the whole of a run. */
export function formatReport(report: Report): string {
  const { sent, alerts, differences } = report
  const answers = Object.entries(sent.answers).map(([answer, count]) => `${answer} ${count}`)
  const crashes = Object.entries(report.crashes).map(([why, count]) => `  ${count} × ${why}`)
  return [
    '',
    `seed ${report.seed}: ${report.faults} faults, ${report.hit} of them hit, in ${seconds(report.tookMs)}; settled ${seconds(report.settledMs)} later`,
    `sent         ${sent.requests} requests in ${sent.tries} tries (${answers.join(', ')})`,
    `expected     ${report.expectedSpans} spans; ${report.checks} comparisons`,
    `lost         ${report.lost}`,
    `doubled      ${report.doubled}`,
    `late         ${report.late} (later than ${seconds(LATE_MS)})`,
    `alerts       ${alerts.changes} changes, ${alerts.notifications} notifications, ${alerts.toldAgain} requests told again with their key`,
    '',
    'recovery     faults   median  longest',
    ...report.recovery.map(
      ({ kind, faults, medianMs, longestMs }) =>
        `  ${kind.padEnd(14)} ${String(faults).padStart(3)} ${seconds(medianMs).padStart(8)} ${seconds(longestMs).padStart(8)}`,
    ),
    ...(crashes.length === 0 ? [] : ['', 'workers that ended by themselves:', ...crashes]),
    ...differences.filter(isDifferent).flatMap(formatDifference),
    ...(report.dataDir === undefined ? [] : ['', `Everything is kept in ${report.dataDir}`]),
    '',
  ].join('\n')
}

function formatDifference(one: Difference): readonly string[] {
  return [
    '',
    `${one.what}: ${one.lostCount} lost, ${one.doubledCount} doubled of ${one.expected}`,
    ...one.lost.map((line) => `  lost     ${line}`),
    ...one.doubled.map((line) => `  doubled  ${line}`),
  ]
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

export function answersOf({ answers }: Sent): Readonly<Record<string, number>> {
  return Object.fromEntries([...answers].toSorted(([a], [b]) => a.localeCompare(b)))
}
