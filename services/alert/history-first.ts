import { emptySums, type Sums } from './history-sums.ts'

/** What the first values of a group come to, in the order of their event time, as far as it is known. */
export interface FirstValues {
  /** Values that are asked for. */
  readonly wanted: number
  /** Buckets before this one are taken, or came too late for it. */
  nextBucket: number
  readonly sums: Sums
}

export function startFirst(wanted: number): FirstValues {
  return { wanted, nextBucket: Number.MIN_SAFE_INTEGER, sums: emptySums() }
}

/** Whether they are all there: from then on they never change. */
export function isComplete({ wanted, sums }: FirstValues): boolean {
  return sums.count >= wanted
}

export function writeFirst({ wanted, nextBucket, sums }: FirstValues): readonly number[] {
  return [wanted, nextBucket, sums.count, sums.bad, sums.high, sums.low]
}

export function readFirst(numbers: readonly number[]): FirstValues {
  const [wanted = 0, nextBucket = 0, count = 0, bad = 0, high = 0, low = 0] = numbers
  return { wanted, nextBucket, sums: { count, bad, high, low } }
}
