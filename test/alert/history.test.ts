import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bins, mergeBins } from '../../services/alert/bins.ts'
import { GroupHistory } from '../../services/alert/history.ts'
import { SUM_BASE, type SeriesSpec, type Tally } from '../../services/alert/series.ts'

const MINUTE = 60_000
const SPEC: SeriesSpec = {
  id: '0123456789abcdef',
  source: 'spans',
  where: [],
  by: ['tenant'],
  keyLength: 1,
  value: 'cost',
  hasBins: true,
  bucketMs: MINUTE,
  retainMs: 24 * 60 * MINUTE,
  maxGroups: 100,
}
const FIRST_BUCKET = 28_000_000
const BLOCK = 60

/** A sum in its two halves, as the first stage writes it. */
function tally(sum: bigint, more: Partial<Tally> = {}): Tally {
  const base = BigInt(SUM_BASE)
  const low = ((sum % base) + base) % base
  const halves = { high: Number((sum - low) / base), low: Number(low) }
  return { count: 1, bad: 0, bins: [], traceId: '', traceValue: 0, ...halves, ...more }
}

interface Bucket {
  count: number
  bad: number
  sum: bigint
  bins: Bins
  worst: { readonly value: number; readonly id: string } | undefined
}

/** What a history should be: buckets in a map, and sums without halves. */
class Model {
  readonly buckets = new Map<number, Bucket>()
  first: number | undefined
  last: number | undefined
  kept = Number.NEGATIVE_INFINITY

  add(bucket: number, { count, bad, high, low, bins, traceId, traceValue }: Tally): boolean {
    if (Math.floor(bucket / BLOCK) < this.kept) return false
    this.first = Math.min(this.first ?? bucket, bucket)
    this.last = Math.max(this.last ?? bucket, bucket)
    const old = this.buckets.get(bucket) ?? {
      count: 0,
      bad: 0,
      sum: 0n,
      bins: [],
      worst: undefined,
    }
    const own = { value: traceValue, id: traceId }
    const { worst } = old
    const isWorse =
      worst === undefined ||
      own.value > worst.value ||
      (own.value === worst.value && own.id < worst.id)
    this.buckets.set(bucket, {
      count: old.count + count,
      bad: old.bad + bad,
      sum: old.sum + BigInt(high) * BigInt(SUM_BASE) + BigInt(low),
      bins: mergeBins(old.bins, bins),
      worst: traceId !== '' && isWorse ? own : worst,
    })
    return true
  }

  expire(beforeBucket: number): void {
    const isOver = this.last !== undefined && this.last + 1 <= beforeBucket
    this.kept = Math.max(this.kept, Math.floor(beforeBucket / BLOCK))
    for (const bucket of this.buckets.keys()) {
      if (isOver || Math.floor(bucket / BLOCK) < this.kept) this.buckets.delete(bucket)
    }
  }

  within(from: number, to: number): readonly (readonly [number, Bucket])[] {
    return [...this.buckets].filter(([bucket]) => bucket >= from && bucket < to)
  }

  totals(from: number, to: number) {
    const own = this.within(from, to).map(([, bucket]) => bucket)
    return {
      count: own.reduce((all, { count }) => all + count, 0),
      bad: own.reduce((all, { bad }) => all + bad, 0),
      sum: own.reduce((all, { sum }) => all + sum, 0n),
    }
  }

  bins(from: number, to: number): Bins {
    return this.within(from, to).reduce<Bins>((all, [, { bins }]) => mergeBins(all, bins), [])
  }

  /** Of each block but the latest two, its three worst alone. */
  traces(from: number, to: number, limit: number): readonly string[] {
    const all = [...this.buckets].flatMap(([bucket, { worst }]) =>
      worst === undefined ? [] : [{ bucket, ...worst }],
    )
    const sorted = all.sort(
      (a, b) => b.value - a.value || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.bucket - b.bucket),
    )
    const lastBlock = Math.floor((this.last ?? 0) / BLOCK)
    const perBlock = new Map<number, number>()
    const known = sorted.filter(({ bucket }) => {
      const block = Math.floor(bucket / BLOCK)
      const rank = perBlock.get(block) ?? 0
      perBlock.set(block, rank + 1)
      return block > lastBlock - 2 || rank < 3
    })
    const ids = known.filter(({ bucket }) => bucket >= from && bucket < to).map((trace) => trace.id)
    return [...new Set(ids)].slice(0, limit)
  }
}

type Step =
  | { readonly type: 'add'; readonly bucket: number; readonly tally: Tally }
  | { readonly type: 'expire'; readonly bucket: number }
  | { readonly type: 'changes' }
  | { readonly type: 'look' }
  | { readonly type: 'restart'; readonly order: number }

const bucketOf = fc.integer({ min: FIRST_BUCKET, max: FIRST_BUCKET + 400 })
const tallyOf: fc.Arbitrary<Tally> = fc
  .record({
    sum: fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }),
    count: fc.integer({ min: 0, max: 1_000_000 }),
    bad: fc.integer({ min: 0, max: 1_000 }),
    bins: fc.uniqueArray(fc.integer({ min: -1, max: 2_000 }), { maxLength: 5 }),
    traceId: fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'),
    traceValue: fc.constantFrom(0, 0.5, 1, 2.25, 3, 1e9),
  })
  .map(({ sum, bins, ...more }) =>
    tally(sum, { ...more, bins: bins.sort((a, b) => a - b).flatMap((bin) => [bin, 2]) }),
  )
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ type: fc.constant('add'), bucket: bucketOf, tally: tallyOf }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('expire'), bucket: bucketOf }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('changes') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('look') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart'), order: fc.nat(1_000) }) },
)

/** A history that is written as it changes, and can be read back. */
class Stored {
  readonly pieces = new Map<string, string>()
  history = new GroupHistory(SPEC)

  write(): void {
    for (const { name, payload } of this.history.changes()) {
      if (payload === '') this.pieces.delete(name)
      else this.pieces.set(name, payload)
    }
  }

  /** Reads it back, in one of many orders. */
  restart(order: number): void {
    this.write()
    this.history = new GroupHistory(SPEC)
    const place = (name: string): number =>
      Buffer.from(name).reduce((hash, byte) => (hash * 31 + byte) % 65_521, order)
    const pieces = [...this.pieces].toSorted(([a], [b]) => place(a) - place(b))
    for (const [name, payload] of pieces) this.history.restore(name, payload)
  }
}

/** Compares a history with the model, over all and over some windows. */
function compare(history: GroupHistory, model: Model): void {
  expect(history.isEmpty).toBe(model.buckets.size === 0)
  expect(history.firstMs).toBe(model.first === undefined ? undefined : model.first * MINUTE)
  expect(history.lastMs).toBe(model.last === undefined ? undefined : (model.last + 1) * MINUTE)
  for (const [from, length] of [
    [0, 420],
    [1, 1],
    [30, 60],
    [59, 2],
    [60, 60],
    [61, 58],
    [77, 200],
    [120, 240],
    [395, 100],
  ]) {
    const start = FIRST_BUCKET + (from ?? 0)
    const end = start + (length ?? 0)
    expect(history.totals(start * MINUTE, end * MINUTE)).toEqual(model.totals(start, end))
    expect(history.bins(start * MINUTE, end * MINUTE)).toEqual(model.bins(start, end))
    expect(history.traces(start * MINUTE, end * MINUTE, 5)).toEqual(model.traces(start, end, 5))
  }
}

describe('A history', () => {
  test('is what a map of buckets would be, whatever is added, forgotten, written and read back', () => {
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 120 }), (steps) => {
        const stored = new Stored()
        const model = new Model()
        const answers: (readonly [boolean, boolean])[] = []
        for (const step of steps) {
          if (step.type === 'add') {
            const isAdded = stored.history.add(step.bucket, step.tally)
            answers.push([isAdded, model.add(step.bucket, step.tally)])
          } else if (step.type === 'expire') {
            stored.history.expire(step.bucket * MINUTE)
            model.expire(step.bucket)
          } else if (step.type === 'changes') stored.write()
          else if (step.type === 'look') compare(stored.history, model)
          else stored.restart(step.order)
        }
        expect(answers.map(([own]) => own)).toEqual(answers.map(([, expected]) => expected))
        compare(stored.history, model)
        stored.restart(1)
        compare(stored.history, model)
      }),
      { seed: 20_260_301, numRuns: 400 },
    )
  })

  test('does not depend on the order of what is added', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.tuple(bucketOf, tallyOf), { maxLength: 100 })
          .chain((adds) =>
            fc.tuple(
              fc.constant(adds),
              fc.shuffledSubarray(adds, { minLength: adds.length }),
              fc.integer({ min: 0, max: 400 }),
              fc.integer({ min: 0, max: 400 }),
            ),
          ),
        ([adds, others, from, length]) => {
          const [one, other] = [new GroupHistory(SPEC), new GroupHistory(SPEC)]
          for (const [bucket, added] of adds) one.add(bucket, added)
          for (const [bucket, added] of others) other.add(bucket, added)
          const window = [(FIRST_BUCKET + from) * MINUTE, (FIRST_BUCKET + from + length) * MINUTE]
          const [start = 0, end = 0] = window
          expect(one.totals(start, end)).toEqual(other.totals(start, end))
          expect(one.bins(start, end)).toEqual(other.bins(start, end))
          expect(one.traces(start, end, 4)).toEqual(other.traces(start, end, 4))
          expect(one.bytes).toBe(other.bytes)
        },
      ),
      { seed: 20_260_302, numRuns: 300 },
    )
  })

  test('keeps sums exact far beyond what a double can', () => {
    const history = new GroupHistory(SPEC)
    const large = 9_000_000_000_000_000_000_000_001n
    history.add(FIRST_BUCKET, tally(large))
    history.add(FIRST_BUCKET, tally(-large - 2n))
    history.add(FIRST_BUCKET + 1, tally(-999_999_999n))
    const { sum } = history.totals(0, Number.MAX_SAFE_INTEGER)
    expect(sum).toBe(-1_000_000_001n)
  })

  test('counts buckets that start in a window which is not aligned', () => {
    const history = new GroupHistory(SPEC)
    for (let i = 0; i < 5; i++) history.add(FIRST_BUCKET + i, tally(1n))
    const start = FIRST_BUCKET * MINUTE
    expect(history.totals(start + 1, start + 3 * MINUTE + 1).count).toBe(3)
  })

  test('starts where it was first added to, even when that is forgotten', () => {
    const history = new GroupHistory(SPEC)
    history.add(FIRST_BUCKET, tally(1n))
    history.add(FIRST_BUCKET + 500, tally(1n))
    expect(history.expire((FIRST_BUCKET + 400) * MINUTE)).toBe(true)
    expect(history.expire((FIRST_BUCKET + 400) * MINUTE)).toBe(false)
    expect(history.firstMs).toBe(FIRST_BUCKET * MINUTE)
    const keptBlock = Math.floor((FIRST_BUCKET + 400) / BLOCK)
    expect(history.coveredFromMs).toBe(keptBlock * BLOCK * MINUTE)
    expect(history.add(keptBlock * BLOCK - 1, tally(1n))).toBe(false)
    expect(history.add(keptBlock * BLOCK, tally(1n))).toBe(true)
  })

  test('names every piece that must be taken away with it', () => {
    const history = new GroupHistory(SPEC)
    history.add(FIRST_BUCKET, tally(1n, { bins: [3, 1] }))
    history.add(FIRST_BUCKET + 200, tally(1n))
    const written = history.changes().map(({ name }) => name)
    expect(written).toHaveLength(4)
    expect(new Set(history.names())).toEqual(new Set(written))
    history.expire((FIRST_BUCKET + 300) * MINUTE)
    expect(history.isEmpty).toBe(true)
    expect(new Set(history.names())).toEqual(new Set(written))
  })

  test('says what it takes, and no more once that is forgotten', () => {
    const history = new GroupHistory(SPEC)
    const before = history.bytes
    for (let i = 0; i < 600; i++) {
      history.add(FIRST_BUCKET + i, tally(5n, { bins: [i, 1], traceId: `${i}`, traceValue: i }))
    }
    expect(history.bytes - before).toBeGreaterThan(600 * 40)
    expect(history.bytes - before).toBeLessThan(600 * (40 + 16 + 100 + 40) + 10 * 250 + 120 * 160)
    history.expire((FIRST_BUCKET + 700) * MINUTE)
    expect(history.bytes).toBe(before)
  })

  test('keeps few traces of what is old, in whatever order it is read back', () => {
    const old = new GroupHistory(SPEC)
    const start = Math.ceil(FIRST_BUCKET / BLOCK) * BLOCK
    for (let i = 0; i < 10; i++) {
      old.add(start + i, tally(1n, { bins: [1, 1], traceId: `${i}`, traceValue: i }))
    }
    const written = [...old.changes()]
    expect(old.traces(0, Number.MAX_SAFE_INTEGER, 10)).toHaveLength(10)
    old.add(start + 2 * BLOCK, tally(1n))
    written.unshift(...old.changes().filter(({ name }) => name !== 'm'))
    const restored = new GroupHistory(SPEC)
    const bins = written.filter(({ name }) => name.startsWith('q'))
    for (const { name, payload } of [...bins, ...written]) restored.restore(name, payload)
    expect(restored.traces(0, Number.MAX_SAFE_INTEGER, 10)).toEqual(['9', '8', '7'])
    expect(restored.bytes).toBe(old.bytes)
    expect(restored.traces(0, Number.MAX_SAFE_INTEGER, 10)).toEqual(
      old.traces(0, Number.MAX_SAFE_INTEGER, 10),
    )
  })

  test('refuses a piece that is not what was written', () => {
    const history = new GroupHistory(SPEC)
    for (const payload of ['{}', '[[1,2],[]]', '[["a"],[]]', '[[0,1,0,0,1],[0,1]]', '[1,2]']) {
      expect(() => history.restore('b1', payload)).toThrow('not what was written')
    }
    expect(() => history.restore('m', '[["a"]]')).toThrow('not what was written')
  })
})

describe('The first values of a history', () => {
  test('are whole buckets in the order of event time, and fixed once they are there', () => {
    const history = new GroupHistory(SPEC)
    history.add(FIRST_BUCKET + 70, tally(700n, { count: 7, bad: 2 }))
    history.add(FIRST_BUCKET + 1, tally(30n, { count: 3 }))
    history.add(FIRST_BUCKET + 2, tally(40n, { count: 4, bad: 1 }))
    expect(history.freezeFirst(5, (FIRST_BUCKET + 2) * MINUTE)).toBe(true)
    expect(history.first(5)).toBeUndefined()
    expect(history.freezeFirst(5, (FIRST_BUCKET + 2) * MINUTE)).toBe(false)
    expect(history.freezeFirst(5, (FIRST_BUCKET + 100) * MINUTE)).toBe(true)
    expect(history.first(5)).toEqual({ count: 7, bad: 1, sum: 70n })
    history.add(FIRST_BUCKET, tally(1n))
    history.add(FIRST_BUCKET + 1, tally(1n))
    expect(history.freezeFirst(5, (FIRST_BUCKET + 200) * MINUTE)).toBe(false)
    expect(history.first(5)).toEqual({ count: 7, bad: 1, sum: 70n })
    expect(history.first(6)).toBeUndefined()
  })

  test('are the same whenever they are asked for, in whatever order they came, and read back', () => {
    const adds = fc.array(fc.tuple(bucketOf, fc.integer({ min: 1, max: 9 })), { maxLength: 60 })
    fc.assert(
      fc.property(
        adds.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        fc.array(bucketOf, { maxLength: 8 }),
        fc.integer({ min: 1, max: 100 }),
        ([inOrder, shuffled], stops, wanted) => {
          const end = FIRST_BUCKET + 1_000
          const sorted = inOrder.toSorted((a, b) => a[0] - b[0])
          const stored = new Stored()
          const ends = [...stops, end].sort((a, b) => a - b)
          let from = 0
          // What is before a stop comes before it, as it does when a watermark passes.
          for (const stop of ends) {
            for (const [bucket, count] of shuffled) {
              if (bucket < from || bucket >= stop) continue
              stored.history.add(bucket, tally(BigInt(count), { count }))
            }
            stored.history.freezeFirst(wanted, stop * MINUTE)
            stored.restart(stop)
            from = stop
          }
          let [count, last] = [0, -1]
          for (const [bucket, own] of sorted) {
            if (count >= wanted && bucket !== last) break
            count += own
            last = bucket
          }
          const expected = count < wanted ? undefined : { count, bad: 0, sum: BigInt(count) }
          expect(stored.history.first(wanted)).toEqual(expected)
        },
      ),
      { seed: 20_260_303, numRuns: 300 },
    )
  })
})

describe('Many histories', () => {
  test('are read back, 85,000 blocks of them, in seconds', () => {
    const one = new GroupHistory(SPEC)
    for (let i = 0; i < BLOCK; i++) {
      one.add(FIRST_BUCKET - (FIRST_BUCKET % BLOCK) + i, tally(123_456_789_012n, { count: 7 }))
    }
    const pieces = one.changes()
    const histories = Array.from({ length: 1_000 }, () => new GroupHistory(SPEC))
    const block = Math.floor(FIRST_BUCKET / BLOCK)
    const payload = pieces.find(({ name }) => name.startsWith('b'))?.payload ?? ''
    const startMs = performance.now()
    for (const history of histories) {
      for (let i = 0; i < 85; i++) history.restore(`b${block + i}`, payload)
    }
    const tookMs = performance.now() - startMs
    expect(histories.at(-1)?.lastMs).toBe((block + 85) * BLOCK * MINUTE)
    // What is not linear takes minutes; the rest is for a machine with other work.
    expect(tookMs).toBeLessThan(20_000)
  })

  test('sum three days of minutes in microseconds', () => {
    const history = new GroupHistory(SPEC)
    const end = FIRST_BUCKET + 4_400
    for (let bucket = FIRST_BUCKET; bucket < end; bucket++) history.add(bucket, tally(1n))
    const startMs = performance.now()
    let count = 0
    for (let i = 0; i < 8_000; i++) {
      const from = FIRST_BUCKET + (i % 60)
      count += history.totals(from * MINUTE, (from + 4_320) * MINUTE).count
    }
    const tookMs = performance.now() - startMs
    expect(count).toBe(8_000 * 4_320)
    expect(tookMs).toBeLessThan(8_000)
  })
})
