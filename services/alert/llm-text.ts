import { decimalText } from '#runtime/money.ts'
import type { Amount } from './fold-amount.ts'
import { HistogramCounts } from './llm-histogram.ts'
import { SUM_BASE } from './series.ts'

/** Labels of a series: names and values, in the order in which they are written. */
export type Labels = readonly (readonly [name: string, value: string])[]

export interface Series {
  /** As labelText writes them. */
  readonly labels: string
  /** Decimal text, so that a sum of money is written to its last digit; or a histogram. */
  readonly value: string | HistogramCounts
}

/** A metric: its name, what it is, and its series. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: readonly Series[]
}

/** Metrics as Prometheus reads them: its text-based format, version 0.0.4. */
export function exposition(families: readonly Family[]): string {
  const lines: string[] = []
  for (const { name, help, type, series } of families) {
    lines.push('', `# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const { labels, value } of series) {
      if (value instanceof HistogramCounts) writeHistogram(lines, name, labels, value)
      else lines.push(`${name}{${labels}} ${value}`)
    }
  }
  return `${lines.join('\n')}\n`
}

export function labelText(labels: Labels): string {
  return labels.map(([name, value]) => `${name}="${escapeValue(value)}"`).join(',')
}

/** A sum in whole units as exact decimal text with so many places. */
export function amountText({ high, low }: Amount, places: number): string {
  const units = BigInt(high) * BigInt(SUM_BASE) + BigInt(low)
  return places === 0 ? String(units) : decimalText(units, places)
}

function writeHistogram(
  lines: string[],
  name: string,
  labels: string,
  { buckets, counts, sum }: HistogramCounts,
): void {
  const others = labels === '' ? '' : `${labels},`
  let total = 0
  counts.forEach((count, bucket) => {
    total += count
    lines.push(`${name}_bucket{${others}le="${buckets.bounds[bucket] ?? '+Inf'}"} ${total}`)
  })
  lines.push(`${name}_sum{${labels}} ${amountText(sum, buckets.places)}`)
  lines.push(`${name}_count{${labels}} ${total}`)
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
