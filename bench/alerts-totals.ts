import type { Kafka } from '#runtime/kafka.ts'
import { spanAggregates } from '#schemas/topics.ts'
import { z } from 'zod'
import { SUM_BASE } from '../services/alert/series.ts'
import { BenchError } from './bench-error.ts'

/** What a series came to, over all groups and buckets. */
interface Total {
  readonly count: bigint
  readonly bad: bigint
  readonly sum: bigint
  /** Values that lie in bins. */
  readonly binned: bigint
}

/** Totals by id of the series; those that counted nothing may be missing. */
export type Totals = ReadonlyMap<string, Total>

const NOTHING: Total = { count: 0n, bad: 0n, sum: 0n, binned: 0n }
const MOST_SHOWN = 5

const whole = z.union([z.number().int(), z.string().regex(/^-?\d+$/)]).transform(BigInt)
const streamsTotals = z.record(
  z.string(),
  z.object({ count: whole, bad: whole, sum: whole, binned: whole }),
)

/** Reads the line that bench/streams prints. Throws for anything else. */
export function parseStreamsTotals(line: string): Totals {
  return new Map(Object.entries(streamsTotals.parse(JSON.parse(line))))
}

/** Adds up all that lies in span.aggregates, for the series with one of the ids. */
export async function readAggregateTotals(kafka: Kafka, ids: ReadonlySet<string>): Promise<Totals> {
  const totals = new Map<string, Total>()
  const partitions = await kafka.partitions(spanAggregates.name)
  for (let partition = 0; partition < partitions; partition++) {
    await kafka.readPartition(spanAggregates.name, partition, ({ value }) => {
      for (const delta of spanAggregates.codec.decode(value)) {
        if (!ids.has(delta.series)) continue
        const { count, bad, sum, binned } = totals.get(delta.series) ?? NOTHING
        totals.set(delta.series, {
          count: count + delta.count,
          bad: bad + delta.bad,
          sum: sum + delta.high * BigInt(SUM_BASE) + delta.low,
          binned: binned + countBins(delta.bins),
        })
      }
    })
  }
  return totals
}

/** Throws BenchError naming what differs, or when nothing was counted at all. */
export function requireSameTotals(ours: Totals, theirs: Totals, name: string): void {
  const ids = [...new Set([...ours.keys(), ...theirs.keys()])].toSorted()
  const differences = ids.flatMap((id) => {
    const [own, other] = [ours.get(id) ?? NOTHING, theirs.get(id) ?? NOTHING]
    return describe(own) === describe(other)
      ? []
      : [`  ${id}: ${describe(own)}, and ${name} ${describe(other)}`]
  })
  if (differences.length > 0) {
    throw new BenchError(
      `The two did not count the same, so nothing can be compared; ${differences.length} series differ:\n` +
        differences.slice(0, MOST_SHOWN).join('\n'),
    )
  }
  if ([...ours.values()].every(({ count }) => count === 0n)) {
    throw new BenchError('No series counted a single span.')
  }
}

function describe({ count, bad, sum, binned }: Total): string {
  return `count ${count}, bad ${bad}, sum ${sum}, in bins ${binned}`
}

function countBins(bins: readonly bigint[]): bigint {
  return bins.reduce((total, value, place) => (place % 2 === 1 ? total + value : total), 0n)
}
