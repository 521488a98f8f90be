import type { WorkerProfile } from './cpu-profile.ts'
import {
  type Environment,
  type Ratios,
  type Report,
  type Summary,
  TOGETHER,
  type Workload,
} from './report.ts'
import type { Spread } from './stats.ts'

const MIB = 1_024 * 1_024
const GIB = 1_024 * MIB
const US_PER_MS = 1_000

/** The report as a person reads it. */
export function formatReport(report: Report): string {
  const { environment, workload, pipeline, peer, ratios, profiles = [] } = report
  const runs = pipeline.runs === 1 ? '1 run' : `medians of ${pipeline.runs} runs (least–most)`
  return [
    formatEnvironment(environment),
    `${formatWorkload(workload)}; ${runs}`,
    '',
    ...formatSummaries(pipeline, peer),
    ...(ratios === undefined ? [] : ['', ...formatRatios(ratios)]),
    ...profiles.flatMap((profile) => ['', ...formatProfile(profile, workload.spans)]),
  ].join('\n')
}

/** The machine in one line. */
export function formatEnvironment({ cpu, cores, memoryBytes, node, load }: Environment): string {
  const memory = Math.round(memoryBytes / GIB)
  return `${cpu}, ${cores} cores, ${memory} GiB, Node ${node}, load ${load.toFixed(1)} at the start`
}

function formatWorkload({ spans, records, attributesPerSpan, ...rest }: Workload): string {
  const { bytesPerSpan, partitions, seed } = rest
  return (
    `${count(spans)} spans in ${count(records)} records over ${partitions} partitions, ` +
    `${attributesPerSpan} attributes and ${Math.round(bytesPerSpan)} bytes a span, seed ${seed}`
  )
}

function formatSummaries(pipeline: Summary, peer: Summary | undefined): readonly string[] {
  const subjects = peer === undefined ? [pipeline] : [pipeline, peer]
  const row = (label: string, cell: (summary: Summary) => string) => [label, ...subjects.map(cell)]
  const byProcess = (
    of: (summary: Summary) => Readonly<Record<string, Spread>>,
    show: (value: number) => string,
  ) =>
    processNames(subjects.map(of)).map((name) =>
      row(`  ${name}`, (summary) => formatSpread(of(summary)[name], show)),
    )
  return table([
    ['', 'Spanmeter', ...(peer === undefined ? [] : ['Collector'])],
    row('until queryable, s', ({ wallMs }) => formatSpread(wallMs, seconds)),
    row('spans a second', ({ spansPerSecond }) => formatSpread(spansPerSecond, count)),
    ['CPU per span, µs'],
    ...byProcess(({ cpuUsPerSpan }) => cpuUsPerSpan, twoDigits),
    ['peak memory, MiB'],
    ...byProcess(({ peakBytes }) => peakBytes, mebibytes),
    row('CPU of other processes', ({ othersShare }) => formatSpread(othersShare, percent)),
  ])
}

/** Workers of all subjects first, then what both have. */
function processNames(subjects: readonly Readonly<Record<string, Spread>>[]): readonly string[] {
  const names = subjects.map((subject) => Object.keys(subject))
  const workers = names.flatMap((own) => own.slice(0, own.indexOf(TOGETHER)))
  return [...new Set([...workers, ...names.flat()])]
}

function formatRatios(ratios: Ratios): readonly string[] {
  return table([
    ['Spanmeter / Collector', ''],
    ['spans per CPU second of the workers (more is better)', times(ratios.spansPerCpuSecond)],
    ['time until queryable', times(ratios.wall)],
    ['peak memory of the workers', times(ratios.peakMemory)],
    ['CPU of ClickHouse per span', times(ratios.clickhouseCpu)],
  ])
}

/** Where a worker's time went, by the functions with most of it. */
export function formatProfile(
  { worker, busyMs, top }: WorkerProfile,
  spans: number,
): readonly string[] {
  const perSpan = (ms: number) => twoDigits((ms * US_PER_MS) / spans)
  return table([
    [`${worker}, busy ${perSpan(busyMs)} µs a span`, 'self µs', 'share', 'file'],
    ...top.map(({ name, file, selfMs, share }) => [
      `  ${name}`,
      perSpan(selfMs),
      percent(share),
      file,
    ]),
  ])
}

/** A median, with least and most where they differ. */
export function formatSpread(value: Spread | undefined, show: (value: number) => string): string {
  if (value === undefined) return '–'
  const { median, min, max } = value
  return min === max ? show(median) : `${show(median)} (${show(min)}–${show(max)})`
}

/** Rows of cells in columns; a file name in the last one hangs over. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** A whole number with its thousands set apart. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Milliseconds as seconds. */
export function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2)
}

/** How many times as much. */
export function times(value: number): string {
  return `${value.toFixed(2)} ×`
}

/** With two digits behind the point. */
export function twoDigits(value: number): string {
  return value.toFixed(2)
}

/** Bytes as whole MiB. */
export function mebibytes(bytes: number): string {
  return String(Math.round(bytes / MIB))
}

/** A share of 0 to 1 in percent. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
