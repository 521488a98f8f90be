import { array, assert, boolean, nat, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import type { Progress } from '../../services/alert/progress.ts'
import { Watermarks } from '../../services/alert/watermarks.ts'

const OPTIONS = { allowedLatenessMs: 100, idleMs: 1_000 }

const event = (partition: number, eventMs: number): Progress => ({
  source: 'spans',
  partition,
  partitions: 2,
  eventMs,
  quietMs: undefined,
})
const quiet = (partition: number, quietMs: number): Progress => ({
  source: 'spans',
  partition,
  partitions: 2,
  eventMs: undefined,
  quietMs,
})

function after(...notes: readonly Progress[]): number | undefined {
  const watermarks = new Watermarks(OPTIONS)
  for (const note of notes) watermarks.note(note)
  return watermarks.of('spans')
}

test.each([
  ['nothing was heard', [], undefined],
  ['a partition was not heard of', [event(0, 5_000)], undefined],
  ['all partitions came somewhere: the slowest counts', [event(0, 5_000), event(1, 3_000)], 2_900],
  ['a record is older than one before it', [event(0, 5_000), event(1, 6_000), event(0, 10)], 4_900],
  ['one is quiet: the others count', [event(0, 5_000), quiet(1, 90_000)], 4_900],
  [
    'one was quiet when it was looked at last: it may have more by now',
    [event(0, 5_000), quiet(1, 6_000), event(0, 90_000)],
    5_900,
  ],
  ['all are quiet, and none ever had a record', [quiet(0, 90_000), quiet(1, 90_000)], undefined],
  [
    'all are quiet: time follows the clock, less the time that made them quiet',
    [event(0, 5_000), quiet(0, 90_000), quiet(1, 91_000)],
    88_900,
  ],
  [
    'a quiet one wakes up: time does not go back',
    [event(0, 5_000), quiet(0, 90_000), quiet(1, 91_000), event(0, 80_000)],
    88_900,
  ],
  [
    'a partition that woke up late holds the time until it has come as far',
    [event(0, 50_000), quiet(1, 60_000), event(1, 20_000), event(0, 55_000)],
    49_900,
  ],
])('The watermark when %s', (_, notes, expected) => {
  expect(after(...notes)).toBe(expected)
})

test('A source has a time of its own', () => {
  const watermarks = new Watermarks(OPTIONS)
  watermarks.note({ ...event(0, 7_000), source: 'system', partitions: 1 })
  expect(watermarks.of('system')).toBe(6_900)
  expect(watermarks.of('spans')).toBeUndefined()
})

const anyNote = record({
  partition: nat(2),
  isQuiet: boolean(),
  timeMs: nat(100_000),
})

test('Time never goes back, and a restored one goes on as the first does', () => {
  assert(
    property(array(anyNote, { maxLength: 60 }), nat(60), (notes, cut) => {
      const first = new Watermarks(OPTIONS)
      let second = new Watermarks(OPTIONS)
      let before = Number.NEGATIVE_INFINITY
      notes.forEach(({ partition, isQuiet, timeMs }, i) => {
        const note = {
          ...(isQuiet ? quiet(partition, timeMs) : event(partition, timeMs)),
          partitions: 3,
        }
        first.note(note)
        if (i === cut) {
          const stored = JSON.stringify(second.stored())
          second = new Watermarks(OPTIONS)
          second.restore(JSON.parse(stored))
        }
        second.note(note)
        expect(second.of('spans')).toBe(first.of('spans'))
        const now = first.of('spans') ?? Number.NEGATIVE_INFINITY
        expect(now).toBeGreaterThanOrEqual(before)
        before = now
      })
    }),
    { seed: 1 },
  )
})
