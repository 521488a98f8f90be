import type { Bins } from './bins.ts'
import type { Worst } from './history-traces.ts'

/** What a block is written as: its rows, and its traces, the worst first. */
export interface BlockPayload {
  readonly rows: number[]
  readonly traces: readonly Worst[]
}

/** A block as `[rows, [offset, value, id, offset …]]`. */
export function writeBlock({ rows, traces }: BlockPayload): string {
  return JSON.stringify([
    rows,
    traces.flatMap(({ offset, value, traceId }) => [offset, value, traceId]),
  ])
}

export function readBlock(payload: string, rowLength: number): BlockPayload {
  const [rows, flat] = parseList(payload)
  if (!isNumbers(rows) || rows.length % rowLength !== 0 || !Array.isArray(flat)) throw damaged()
  const traces: Worst[] = []
  for (let at = 0; at < flat.length; at += 3) {
    const [offset, value, traceId]: readonly unknown[] = flat.slice(at, at + 3)
    if (typeof offset !== 'number' || typeof value !== 'number' || typeof traceId !== 'string') {
      throw damaged()
    }
    traces.push({ offset, value, traceId })
  }
  return { rows, traces }
}

/** Bins of several buckets as `[[offset …], bins, …]`. */
export function binsPayload(bins: readonly (readonly [offset: number, bins: Bins])[]): string {
  return JSON.stringify([bins.map(([offset]) => offset), ...bins.map(([, own]) => own)])
}

export function readBins(payload: string): readonly (readonly [offset: number, bins: Bins])[] {
  const [offsets = [], ...all] = parseNumbers(payload)
  return offsets.map((offset, i) => [offset, all[i] ?? []])
}

/** A list of lists of numbers. */
export function parseNumbers(payload: string): readonly number[][] {
  const lists = parseList(payload)
  if (!lists.every(isNumbers)) throw damaged()
  return lists
}

function parseList(payload: string): readonly unknown[] {
  const parsed: unknown = JSON.parse(payload)
  if (!Array.isArray(parsed)) throw damaged()
  return parsed
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'number')
}

function damaged(): Error {
  return new Error('a stored piece of the history of an alert is not what was written')
}
