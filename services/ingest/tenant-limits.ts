import type { SenderLimits } from '#runtime/api-keys-file.ts'

/** What a request costs its sender. */
export interface Cost {
  readonly spans: number
  readonly bytes: number
}

/** Counts what one sender sends against its limits. */
export interface Meter {
  /** Time until there is room for a request, 0 if there is now. */
  waitMs(): number
  /** Takes what a request costs, also where it is more than there is: the next ones wait for it. */
  take(cost: Cost): void
  /** Gives back what a request cost that was not kept. */
  giveBack(cost: Cost): void
}

/** A tenant's or a key's limits, under a name that no other has. */
export interface Limited {
  readonly name: string
  readonly limits: SenderLimits
}

/** What a client is told that has sent more than its share. */
export const RATE_LIMITED =
  'More was sent than the limits of this API key allow; send it again later'

/** The meters of all senders. */
export interface TenantLimits {
  /** A meter of what all these limits together allow. */
  meterOf(limited: readonly Limited[]): Meter
  /** Forgets all but these, and takes their limits over; what they have sent still counts. */
  keep(limited: readonly Limited[]): void
}

/**
 * Makes the meters; `now` is a clock in milliseconds, best one that nobody sets. There is room for a
 * request as long as a bucket holds anything, so that one of any size goes through; it may leave a
 * debt, and the rate holds over time. A full bucket holds what one second brings.
 */
export function createTenantLimits(now: () => number): TenantLimits {
  const buckets = new Map<string, Buckets>()
  const bucketsOf = ({ name, limits }: Limited): Buckets => {
    const known = buckets.get(name) ?? new Buckets(limits, wholeMs(now))
    buckets.set(name, known)
    return known
  }
  return {
    meterOf(limited) {
      const all = limited.map(bucketsOf)
      return {
        waitMs() {
          const nowMs = wholeMs(now)
          return Math.max(0, ...all.map((each) => each.waitMs(nowMs)))
        },
        take(cost) {
          const nowMs = wholeMs(now)
          for (const each of all) each.take(cost, nowMs)
        },
        giveBack({ spans, bytes }) {
          const nowMs = wholeMs(now)
          for (const each of all) each.take({ spans: -spans, bytes: -bytes }, nowMs)
        },
      }
    },
    keep(limited) {
      const nowMs = wholeMs(now)
      const names = new Set(limited.map(({ name }) => name))
      for (const name of buckets.keys()) if (!names.has(name)) buckets.delete(name)
      for (const { name, limits } of limited) buckets.get(name)?.change(limits, nowMs)
    },
  }
}

function wholeMs(now: () => number): number {
  return Math.floor(now())
}

/** The two buckets of one sender. */
class Buckets {
  #spans: TokenBucket | undefined
  #bytes: TokenBucket | undefined

  constructor(limits: SenderLimits, nowMs: number) {
    this.change(limits, nowMs)
  }

  change({ spans_per_second, bytes_per_second }: SenderLimits, nowMs: number): void {
    this.#spans = changed(this.#spans, spans_per_second, nowMs)
    this.#bytes = changed(this.#bytes, bytes_per_second, nowMs)
  }

  waitMs(nowMs: number): number {
    return Math.max(this.#spans?.waitMs(nowMs) ?? 0, this.#bytes?.waitMs(nowMs) ?? 0)
  }

  take({ spans, bytes }: Cost, nowMs: number): void {
    this.#spans?.take(spans, nowMs)
    this.#bytes?.take(bytes, nowMs)
  }
}

function changed(
  bucket: TokenBucket | undefined,
  perSecond: number | undefined,
  nowMs: number,
): TokenBucket | undefined {
  if (perSecond === undefined) return undefined
  if (bucket === undefined) return new TokenBucket(perSecond, nowMs)
  bucket.changeRate(perSecond, nowMs)
  return bucket
}

const PARTS = 1_000

/**
 * A token bucket that may fall into debt. It counts thousandths of tokens: with a rate in whole tokens
 * and time in whole milliseconds nothing is ever rounded, and the wait that it tells is exact.
 */
export class TokenBucket {
  #perSecond: number
  #parts: number
  #timeMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#parts = perSecond * PARTS
    this.#timeMs = nowMs
  }

  /** The least time after which the bucket holds something, if nobody takes of it; 0 if it does. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs)
    return this.#parts > 0 ? 0 : Math.floor(-this.#parts / this.#perSecond) + 1
  }

  /** Takes tokens; fewer than none gives some back. */
  take(tokens: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#parts = Math.min(this.#parts - tokens * PARTS, this.#perSecond * PARTS)
  }

  changeRate(perSecond: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#perSecond = perSecond
    this.#parts = Math.min(this.#parts, perSecond * PARTS)
  }

  /** A clock that was set back brings nothing, and takes nothing either. */
  #fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#timeMs)
    this.#timeMs = nowMs
    this.#parts = Math.min(this.#parts + elapsedMs * this.#perSecond, this.#perSecond * PARTS)
  }
}
