import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Histories, type HistoryPiece } from '../../services/alert/histories.ts'
import {
  type Delta,
  joinGroup,
  OTHER_GROUP,
  type SeriesSpec,
  splitGroup,
} from '../../services/alert/series.ts'
import { DAY, END, HOUR, MINUTE, seriesOf } from './condition-samples.ts'
import { deltaOf } from './delta-samples.ts'

const CALLS = seriesOf(undefined, { maxGroups: 3, retainMs: HOUR })
/** Models of users. */
const PARTS: SeriesSpec = {
  ...CALLS,
  id: 'parts',
  by: ['user', 'model'],
  keyLength: 1,
  maxGroups: 200,
}
const MAX_CONTRIBUTORS = 50

function historiesOf(...specs: readonly SeriesSpec[]): Histories {
  const histories = new Histories()
  histories.configure(specs)
  return histories
}

const call = (tenant: string, atMs = END, more: Partial<Delta> = {}) =>
  deltaOf(CALLS, [tenant], atMs, more)
const part = (user: string, model: string, atMs = END) => deltaOf(PARTS, [user, model], atMs)
const countOf = (histories: Histories, spec: SeriesSpec, ...group: readonly string[]) =>
  histories.of(spec, joinGroup(group))?.totals(0, END + DAY).count

describe('Histories', () => {
  test('keep a history for each group of each series', () => {
    const histories = historiesOf(CALLS, PARTS)
    for (const delta of [call('a'), call('a'), call('b'), part('u', 'm')]) histories.add(delta)
    expect(countOf(histories, CALLS, 'a')).toBe(2)
    expect(countOf(histories, CALLS, 'b')).toBe(1)
    expect(countOf(histories, PARTS, 'u', 'm')).toBe(1)
    expect([...histories.groups(CALLS).keys()]).toEqual(['a', 'b'])
    expect(histories.size().groups).toBe(3)
    expect(histories.size().bytes).toBeGreaterThan(1_000)
  })

  test('say where a delta went', () => {
    const histories = historiesOf(CALLS)
    expect(histories.add(call('a'))).toEqual({ spec: CALLS, group: 'a', isTooOld: false })
    expect(histories.add({ ...call('a'), series: 'nobody asks' })).toBeUndefined()
    histories.expire(
      () => END + 10 * HOUR,
      () => true,
    )
    expect(histories.add(call('a'))).toEqual({ spec: CALLS, group: 'a', isTooOld: true })
  })

  test('know nothing of a series or group that they never saw', () => {
    const histories = historiesOf(CALLS)
    expect(histories.of(CALLS, 'a')).toBeUndefined()
    expect(histories.of(PARTS, 'a')).toBeUndefined()
    expect(histories.groups(PARTS).size).toBe(0)
    expect([...histories.parts(PARTS, 'a')]).toEqual([])
  })
})

describe('Groups beyond the limit of a series', () => {
  test('count as one', () => {
    const histories = historiesOf(CALLS)
    for (const tenant of ['a', 'b', 'c', 'd', 'e', 'a']) histories.add(call(tenant))
    expect(
      Object.fromEntries(
        [...histories.groups(CALLS).keys()].map((g) => [g, countOf(histories, CALLS, g)]),
      ),
    ).toEqual({ a: 2, b: 1, c: 1, [OTHER_GROUP]: 2 })
    expect(histories.overflowed).toBe(2)
    expect(histories.add(call('f'))?.group).toBe(OTHER_GROUP)
  })

  test('are named in each of their dimensions', () => {
    const spec = { ...CALLS, by: ['tenant', 'feature'], keyLength: 2, maxGroups: 1 }
    const histories = historiesOf(spec)
    histories.add(deltaOf(spec, ['a', 'x'], END))
    const added = histories.add(deltaOf(spec, ['b', 'x'], END))
    expect(splitGroup(added?.group ?? '', 2)).toEqual([OTHER_GROUP, OTHER_GROUP])
  })

  test('have a group of their own once there is room again', () => {
    const histories = historiesOf(CALLS)
    for (const tenant of ['a', 'b', 'c']) histories.add(call(tenant))
    histories.expire(
      () => END + 2 * HOUR,
      () => false,
    )
    expect(histories.add(call('d', END + 2 * HOUR))?.group).toBe('d')
  })

  test('never make more of them, whoever they are parts of', () => {
    const histories = historiesOf({ ...PARTS, maxGroups: 10 })
    for (let i = 0; i < 1_000; i++) histories.add(part(`user ${i}`, 'm'))
    expect(histories.size().groups).toBe(11)
    expect(countOf(histories, PARTS, OTHER_GROUP, OTHER_GROUP)).toBe(990)
  })
})

describe('Parts of a group', () => {
  test('are known by it', () => {
    const histories = historiesOf(PARTS)
    for (const model of ['m', 'n']) histories.add(part('u', model))
    histories.add(part('v', 'm'))
    const models = (user: string) =>
      [...histories.parts(PARTS, user)].map((group) => splitGroup(group, 2)[1])
    expect(models('u')).toEqual(['m', 'n'])
    expect(models('v')).toEqual(['m'])
  })

  test('beyond fifty count as one more', () => {
    const histories = historiesOf(PARTS)
    for (let i = 0; i < 60; i++) histories.add(part('u', `m${i}`))
    histories.add(part('v', 'm'))
    const parts = [...histories.parts(PARTS, 'u')]
    expect(parts).toHaveLength(MAX_CONTRIBUTORS + 1)
    expect(countOf(histories, PARTS, 'u', OTHER_GROUP)).toBe(10)
    expect(countOf(histories, PARTS, 'v', 'm')).toBe(1)
    expect(histories.overflowed).toBe(10)
  })

  test('are forgotten with it', () => {
    const histories = historiesOf(PARTS)
    histories.add(part('u', 'm'))
    histories.expire(
      () => END + DAY,
      () => false,
    )
    expect([...histories.parts(PARTS, 'u')]).toEqual([])
  })
})

describe('What expires', () => {
  test.each([
    ['is over, and nothing of it fires', END + 26 * HOUR, false, []],
    ['is over, but something of it fires', END + 26 * HOUR, true, ['a']],
    ['is asked for yet', END + HOUR, false, ['a']],
  ])('A group that %s', (_, nowMs, isKept, left) => {
    const histories = historiesOf({ ...CALLS, retainMs: DAY })
    histories.add(call('a'))
    histories.expire(
      () => nowMs,
      () => isKept,
    )
    expect([...histories.groups(CALLS).keys()]).toEqual(left)
  })

  test('nothing does of a source without a time', () => {
    const histories = historiesOf(CALLS)
    histories.add(call('a'))
    histories.expire(
      () => undefined,
      () => false,
    )
    expect(countOf(histories, CALLS, 'a')).toBe(1)
  })

  test('first values do not: they are fixed from then on', () => {
    const scores = { ...CALLS, value: 'score' } as const
    const histories = historiesOf(scores)
    histories.add(deltaOf(scores, ['a'], END, { count: 100, sum: 90n }))
    histories.of(scores, 'a')?.freezeFirst(100, END + MINUTE)
    histories.settle(scores, 'a')
    histories.expire(
      () => END + 30 * DAY,
      () => false,
    )
    expect(histories.of(scores, 'a')?.first(100)).toEqual({ count: 100, bad: 0, sum: 90n })
    expect(countOf(histories, scores, 'a')).toBe(0)
  })
})

describe('Changed series', () => {
  const slower = { ...CALLS, id: 'slower' }

  test('are forgotten where no rule has them, with what is stored of them', () => {
    const histories = historiesOf(CALLS, slower)
    histories.add(call('a'))
    histories.add({ ...call('a'), series: 'slower' })
    const names = histories.changes().map(({ series, name }) => `${series} ${name}`)
    histories.configure([slower])
    expect(histories.add(call('a'))).toBeUndefined()
    expect(histories.of(slower, 'a')).toBeDefined()
    const gone = histories.changes()
    expect(gone.map(({ series, name }) => `${series} ${name}`).toSorted()).toEqual(
      names.filter((name) => name.startsWith('count ')).toSorted(),
    )
    expect(gone.every(({ payload }) => payload === '')).toBe(true)
  })

  test('keep their histories where they only keep more, or more groups', () => {
    const histories = historiesOf(CALLS)
    for (const tenant of ['a', 'b', 'c']) histories.add(call(tenant))
    const more = { ...CALLS, maxGroups: 4, retainMs: 30 * DAY }
    histories.configure([more])
    expect(histories.add(call('d'))?.group).toBe('d')
    histories.expire(
      () => END + 2 * DAY,
      () => false,
    )
    expect(countOf(histories, more, 'a')).toBe(1)
  })
})

/** Pieces as alert.state keeps them. */
class Stored {
  readonly pieces = new Map<string, HistoryPiece>()

  write(histories: Histories): void {
    for (const piece of histories.changes()) {
      const key = JSON.stringify([piece.series, piece.group, piece.name])
      if (piece.payload === '') this.pieces.delete(key)
      else this.pieces.set(key, piece)
    }
  }

  read(...specs: readonly SeriesSpec[]): Histories {
    const histories = historiesOf(...specs)
    for (const piece of this.pieces.values()) histories.restore(piece)
    return histories
  }
}

const someDelta = fc
  .record({
    user: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    model: fc.constantFrom('m', 'n'),
    minute: fc.integer({ min: 0, max: 600 }),
    isPart: fc.boolean(),
  })
  .map(({ user, model, minute, isPart }) => {
    const atMs = END + minute * MINUTE
    return isPart ? part(user, model, atMs) : call(user, atMs)
  })
const someStep = fc.oneof(
  { weight: 12, arbitrary: someDelta },
  { weight: 1, arbitrary: fc.record({ expireMs: fc.integer({ min: 0, max: 12 * HOUR }) }) },
  { weight: 2, arbitrary: fc.constant('write' as const) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
)

function take(histories: Histories, step: Delta | { readonly expireMs: number }): void {
  if ('series' in step) histories.add(step)
  else {
    histories.expire(
      () => END + step.expireMs,
      (group) => group === 'a',
    )
  }
}
const look = (histories: Histories) =>
  [CALLS, PARTS].map((spec) =>
    [...histories.groups(spec)]
      .map(([group, history]) => [group, history.totals(0, END + DAY), history.lastMs] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
const parts = (histories: Histories) =>
  ['a', 'b', 'c', 'd', 'e', OTHER_GROUP].map((user) => [...histories.parts(PARTS, user)].toSorted())

test('Histories that are read back are as those that were written', () => {
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 60 }), (steps) => {
      const stored = new Stored()
      const lasting = historiesOf(CALLS, PARTS)
      let restarted = historiesOf(CALLS, PARTS)
      for (const step of steps) {
        if (step === 'write') stored.write(restarted)
        else if (step === 'restart') {
          stored.write(restarted)
          restarted = stored.read(CALLS, PARTS)
        } else for (const histories of [lasting, restarted]) take(histories, step)
      }
      expect(look(restarted)).toEqual(look(lasting))
      expect(parts(restarted)).toEqual(parts(lasting))
    }),
    { seed: 11, numRuns: 300 },
  )
})

test('A stored piece of a series that no rule has any more is taken away', () => {
  const stored = new Stored()
  const histories = historiesOf(CALLS)
  histories.add(call('a'))
  stored.write(histories)
  expect(stored.pieces.size).toBeGreaterThan(0)
  stored.write(stored.read(PARTS))
  expect(stored.pieces.size).toBe(0)
})

test('Changes are told once', () => {
  const histories = historiesOf(CALLS)
  histories.add(call('a'))
  expect(histories.changes()).not.toEqual([])
  expect(histories.changes()).toEqual([])
  histories.add(call('a', END + MINUTE))
  const names = histories.changes().map(({ group, name }) => `${group} ${name.slice(0, 1)}`)
  expect(names).toEqual(['a b'])
})
