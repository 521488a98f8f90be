import { binOf } from '../../services/alert/bins.ts'
import {
  type Delta,
  GROUP_SEPARATOR,
  joinGroup,
  type Match,
  type SeriesSpec,
  type ValueField,
} from '../../services/alert/series.ts'

/** Another way to count, slow and plain: by bigints, over decoded items, one series after the other. */

/** One item that is counted or, with a sign of -1, taken back. */
export interface Item {
  readonly sign: bigint
  readonly eventMs: bigint
  readonly traceId: string
  readonly text: (dimension: string) => string
  readonly value: (field: ValueField) => bigint | null
}

/** What stands in one bucket of one group. */
export interface Sums {
  readonly count: bigint
  readonly bad: bigint
  readonly sum: bigint
  readonly bins: Readonly<Record<string, bigint>>
  readonly trace: readonly [value: number, id: string] | undefined
}
/** By series, bucket and group. */
export type Totals = Readonly<Record<string, Sums>>

const BASE = 1_000_000_000n

/** Deltas added up, by bigints. */
export function totalsOf(deltas: readonly Delta[]): Totals {
  return addUp(
    deltas.map((delta) => {
      const { bins, traceId, traceValue } = delta
      const pairs = bins.flatMap((index, at) => (at % 2 === 0 ? [[index, bins[at + 1] ?? 0]] : []))
      return [
        `${delta.series} ${delta.bucket} ${delta.group}`,
        {
          count: BigInt(delta.count),
          bad: BigInt(delta.bad),
          sum: BigInt(delta.high) * BASE + BigInt(delta.low),
          bins: Object.fromEntries(
            pairs.map(([index, times]) => [String(index), BigInt(times ?? 0)]),
          ),
          trace: traceId === '' ? undefined : [traceValue, traceId],
        },
      ] as const
    }),
  )
}

/** What items come to by these series. */
export function totals(series: readonly SeriesSpec[], items: readonly Item[]): Totals {
  return addUp(
    series.flatMap((spec) =>
      items.flatMap((item) => {
        const sums = sumsOf(spec, item)
        return sums === undefined ? [] : [[keyOf(spec, item), sums] as const]
      }),
    ),
  )
}

/** Totals without those that come to nothing, and without traces: what corrections leave of them. */
export function netOf(all: Totals): Totals {
  return Object.fromEntries(
    Object.entries(all)
      .map(([key, sums]) => [key, { ...sums, trace: undefined }] as const)
      .filter(([, { count, bad, sum, bins }]) => {
        return count !== 0n || bad !== 0n || sum !== 0n || Object.keys(bins).length > 0
      }),
  )
}

function keyOf({ id, by, bucketMs }: SeriesSpec, { eventMs, text }: Item): string {
  const group = joinGroup(by.map((name) => text(name).replaceAll(GROUP_SEPARATOR, ' ')))
  return `${id} ${floorBy(eventMs, BigInt(bucketMs))} ${group}`
}

export function floorBy(value: bigint, by: bigint): bigint {
  return value / by - (value % by < 0n ? 1n : 0n)
}

function sumsOf(spec: SeriesSpec, item: Item): Sums | undefined {
  const { where, bad, value: field, hasBins } = spec
  const value = field === undefined ? 0n : item.value(field)
  if (value === null || !where.every((match) => holds(match, item))) return undefined
  const isBad = bad?.matches.every((match) => holds(match, item)) === true && isAbove(spec, item)
  const { sign, traceId } = item
  return {
    count: sign,
    bad: isBad ? sign : 0n,
    sum: sign * value,
    bins: field !== undefined && hasBins ? { [binOf(Number(value))]: sign } : {},
    trace: traceId === '' || sign < 0n ? undefined : [worth(field, value, isBad), traceId],
  }
}

const holds = ({ dimension, values, isNegated }: Match, { text }: Item): boolean =>
  values.includes(text(dimension)) !== isNegated

function isAbove({ bad }: SeriesSpec, item: Item): boolean {
  if (bad?.above === undefined) return true
  const value = item.value(bad.above.field)
  return value !== null && value > BigInt(Math.floor(bad.above.units))
}

function worth(field: ValueField | undefined, value: bigint, isBad: boolean): number {
  if (field === undefined) return isBad ? 1 : 0
  return field === 'score' ? Math.max(Number(BASE - value), 0) : Number(value)
}

function addUp(parts: readonly (readonly [string, Sums])[]): Totals {
  const all: Record<string, Sums> = {}
  for (const [key, part] of parts) {
    const before = all[key]
    all[key] = before === undefined ? { ...part, bins: nonZero(part.bins) } : added(before, part)
  }
  return all
}

function added(left: Sums, right: Sums): Sums {
  const bins: Record<string, bigint> = { ...left.bins }
  for (const [bin, times] of Object.entries(right.bins)) bins[bin] = (bins[bin] ?? 0n) + times
  return {
    count: left.count + right.count,
    bad: left.bad + right.bad,
    sum: left.sum + right.sum,
    bins: nonZero(bins),
    trace: worse(left.trace, right.trace),
  }
}

const nonZero = (bins: Readonly<Record<string, bigint>>): Readonly<Record<string, bigint>> =>
  Object.fromEntries(Object.entries(bins).filter(([, times]) => times !== 0n))

function worse(left: Sums['trace'], right: Sums['trace']): Sums['trace'] {
  if (left === undefined || right === undefined) return left ?? right
  if (left[0] !== right[0]) return left[0] > right[0] ? left : right
  return left[1] < right[1] ? left : right
}
