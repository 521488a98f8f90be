import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeCheckpoint,
  encodeCheckpoint,
  REQUEST_HEADER,
  SOURCE_HEADER,
} from '../../services/runtime/checkpoint.ts'
import type { KafkaRecord } from '../../services/runtime/records.ts'
import { Repeats, type RepeatLimits } from '../../services/runtime/repeats.ts'

const LIMITS: RepeatLimits = { horizonMs: 10, maxRequests: 1_000 }
const NOTHING = { sources: new Map() }

const recordWith = (
  headers: Record<string, string>,
  offset: number,
  timeMs: number,
): KafkaRecord => ({
  offset: BigInt(offset),
  timeMs,
  value: Buffer.alloc(0),
  headers,
})
const sent = (request: string, offset: number, timeMs: number) =>
  recordWith({ [REQUEST_HEADER]: request }, offset, timeMs)
const from = (position: string, offset: number) =>
  recordWith({ [SOURCE_HEADER]: position }, offset, offset)

/** Offsets of the records that are no repeats. */
const freshOf = (repeats: Repeats, log: readonly KafkaRecord[]) =>
  log.filter((record) => !repeats.isRepeat(record)).map(({ offset }) => Number(offset))

describe('A record with a source position is a repeat', () => {
  test.each([
    ['when its position was seen', ['a/0/5/0', 'a/0/5/0'], [0]],
    ['when a later offset was seen', ['a/0/5/0', 'a/0/4/0'], [0]],
    ['when a later part was seen', ['a/0/5/1', 'a/0/5/0'], [0]],
    ['not when it is the next part', ['a/0/5/0', 'a/0/5/1'], [0, 1]],
    ['not when it is the first part of a later offset', ['a/0/5/9', 'a/0/6/0'], [0, 1]],
    ['not when another source had that offset', ['a/0/5/0', 'a/1/5/0', 'b/0/5/0'], [0, 1, 2]],
    ['not when its header is no position', ['?', '?'], [0, 1]],
    ['not when offsets are skipped', ['a/0/5/0', 'a/0/900/0'], [0, 1]],
    ['as often as it comes', ['a/0/5/0', 'a/0/5/0', 'a/0/5/0', 'a/0/6/0'], [0, 3]],
  ])('%s', (_, positions, fresh) => {
    const log = positions.map((position, offset) => from(position, offset))
    expect(freshOf(new Repeats(LIMITS, NOTHING), log)).toEqual(fresh)
  })
})

describe('A record of a request is a repeat', () => {
  test.each([
    ['when the same came at the same time', [0, 0], [0]],
    ['when the same came just within the horizon', [0, 10], [0]],
    ['not when the same came before the horizon', [0, 11], [0, 1]],
    ['when each came within the horizon of the one before', [0, 10, 20], [0]],
  ])('%s', (_, times, fresh) => {
    const log = times.map((timeMs, offset) => sent('request', offset, timeMs))
    expect(freshOf(new Repeats(LIMITS, NOTHING), log)).toEqual(fresh)
  })

  test('not when another request came, or one without a hash', () => {
    const log = [sent('a', 0, 0), sent('b', 1, 0), recordWith({}, 2, 0), recordWith({}, 3, 0)]
    expect(freshOf(new Repeats(LIMITS, NOTHING), log)).toEqual([0, 1, 2, 3])
  })

  test('only while its request is among the latest maxRequests', () => {
    const log = ['a', 'b', 'c', 'c', 'b', 'a'].map((request, offset) => sent(request, offset, 0))
    expect(freshOf(new Repeats({ horizonMs: 10, maxRequests: 2 }, NOTHING), log)).toEqual([
      0, 1, 2, 5,
    ])
  })
})

/** A log as crashes and clients make it: sources write again from an earlier offset; clients resend. */
const crashyLog: fc.Arbitrary<readonly KafkaRecord[]> = fc
  .array(
    fc.record({
      kind: fc.constantFrom('source', 'source', 'rewind', 'request'),
      which: fc.nat(2),
      back: fc.nat(4),
      request: fc.nat(5),
      tick: fc.nat(4),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((steps) => {
    const next = [0, 0, 0]
    const log: KafkaRecord[] = []
    let timeMs = 0
    for (const { kind, which, back, request, tick } of steps) {
      timeMs += tick
      const add = (headers: Record<string, string>) =>
        log.push(recordWith(headers, log.length, timeMs))
      const position = next[which] ?? 0
      if (kind === 'request') add({ [REQUEST_HEADER]: `request ${request}/0` })
      else if (kind === 'rewind') next[which] = Math.max(0, position - back)
      else {
        // How many parts an input makes depends on the input alone.
        for (let part = 0; part <= position % 3; part++) {
          add({ [SOURCE_HEADER]: `spans/${which}/${position}/${part}` })
        }
        next[which] = position + 1
      }
    }
    return log
  })

/** Requests of a few clients that resend often, at times around the horizon. */
const resentLog: fc.Arbitrary<readonly KafkaRecord[]> = fc
  .array(fc.record({ request: fc.nat(3), tick: fc.constantFrom(0, 1, 2, 4, 8) }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((steps) => {
    let timeMs = 0
    return steps.map(({ request, tick }, offset) => {
      timeMs += tick
      return sent(`request ${request}/0`, offset, timeMs)
    })
  })

/** What the record loop does between two restarts: go on, commit, or stop before the commit. */
interface Life {
  readonly records: number
  readonly lostCommit: number
}
const lives: fc.Arbitrary<readonly Life[]> = fc.array(
  fc.record({ records: fc.nat(12), lostCommit: fc.nat(5) }),
  { minLength: 1, maxLength: 8 },
)

interface Decided {
  /** Of each offset, whether it was first said to be a repeat. */
  readonly decisions: readonly boolean[]
  /** Offsets that were decided in another way when they came again. */
  readonly changed: readonly number[]
  /** Offsets that were ever taken for fresh. */
  readonly taken: ReadonlySet<number>
}

/** Runs a log through restarts, as the record loop does. */
function decideWithRestarts(
  log: readonly KafkaRecord[],
  plan: readonly Life[],
  limits: RepeatLimits,
): Decided {
  const decisions: boolean[] = []
  const changed: number[] = []
  const taken = new Set<number>()
  let committed = { offset: 0, metadata: '' }
  for (const life of [...plan, { records: log.length, lostCommit: 0 }]) {
    const checkpoint = decodeCheckpoint(committed.metadata)
    const repeats = new Repeats(limits, checkpoint)
    const readFrom = Number(checkpoint.rememberFrom ?? committed.offset)
    for (const record of log.slice(readFrom, committed.offset)) repeats.remember(record)
    const stop = committed.offset + life.records
    for (const record of log.slice(committed.offset, stop)) {
      const offset = Number(record.offset)
      const decision = repeats.isRepeat(record)
      if (!decision) taken.add(offset)
      if (decision !== (decisions[offset] ?? decision)) changed.push(offset)
      decisions[offset] ??= decision
      if (offset + 1 === stop - life.lostCommit) {
        committed = { offset: offset + 1, metadata: encodeCheckpoint(repeats.checkpoint()) }
      }
    }
  }
  return { decisions, changed, taken }
}

const uninterrupted = (log: readonly KafkaRecord[], limits: RepeatLimits) => {
  const repeats = new Repeats(limits, NOTHING)
  return log.map((record) => repeats.isRepeat(record))
}

describe('However often a reader restarts', () => {
  test.each([
    ['the horizon', { horizonMs: 10, maxRequests: 1_000 }],
    ['the count of requests', { horizonMs: 1_000_000, maxRequests: 3 }],
  ])('it takes the same records as a reader that never stops, up to %s', (_, limits) => {
    fc.assert(
      fc.property(fc.oneof(crashyLog, resentLog), lives, (log, plan) => {
        const { decisions, changed } = decideWithRestarts(log, plan, limits)
        expect(decisions).toEqual(uninterrupted(log, limits))
        expect(changed).toEqual([])
      }),
      { seed: 20_260_102, numRuns: 5_000 },
    )
  })

  test('it takes each source position once, and misses none', () => {
    fc.assert(
      fc.property(crashyLog, lives, (log, plan) => {
        const { taken } = decideWithRestarts(log, plan, LIMITS)
        const written = log.flatMap(({ headers }) => headers[SOURCE_HEADER] ?? [])
        const seen = log
          .filter((_, offset) => taken.has(offset))
          .flatMap(({ headers }) => headers[SOURCE_HEADER] ?? [])
        expect(seen.toSorted()).toEqual([...new Set(written)].toSorted())
      }),
      { seed: 7, numRuns: 2_000 },
    )
  })

  test('it never takes a request twice within the horizon', () => {
    fc.assert(
      fc.property(resentLog, lives, (log, plan) => {
        const { taken } = decideWithRestarts(log, plan, LIMITS)
        const fresh = log.filter((_, offset) => taken.has(offset))
        const tooSoon = fresh.filter((record, i) =>
          fresh
            .slice(0, i)
            .some(
              (before) =>
                before.headers[REQUEST_HEADER] === record.headers[REQUEST_HEADER] &&
                record.timeMs - before.timeMs <= LIMITS.horizonMs,
            ),
        )
        expect(tooSoon).toEqual([])
      }),
      { seed: 11, numRuns: 2_000 },
    )
  })
})
