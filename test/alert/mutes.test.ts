import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mutedBy } from '../../services/alert/mutes.ts'
import type { Maintenance, Rule } from '../../services/alert/rule.ts'
import type { Silence } from '../../services/alert/silence.ts'
import { HOUR, MINUTE, NOON, ruleOf } from './alert-samples.ts'

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
const GROUP = { tenant: 'acme', model: 'gpt-4o' }
const at = (iso: string): number => Date.parse(iso)
const minuteOf = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

function weekly(
  timeZone: string,
  days: readonly number[],
  from: string,
  until: string,
): Maintenance {
  return { name: 'm', timeZone, days, fromMinute: minuteOf(from), untilMinute: minuteOf(until) }
}

function isOn(maintenance: Maintenance, timeMs: number): boolean {
  const rule = ruleOf({ maintenance: [maintenance] })
  return mutedBy(rule, GROUP, timeMs, [], () => false) === 'maintenance:m'
}

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
const CLOCKS = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: 'numeric',
      minute: 'numeric',
    }),
  ]),
)

function shownIn(zone: string, timeMs: number): { readonly day: number; readonly minute: number } {
  const parts = CLOCKS.get(zone)?.formatToParts(timeMs) ?? []
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? ''
  const minute = Number(part('hour')) * 60 + Number(part('minute'))
  return { day: DAYS.indexOf(part('weekday')) + 1, minute }
}

/** Whether the clocks change within three hours. */
function isNearChange(zone: string, timeMs: number): boolean {
  const [before, after] = [-3, 3].map((hours) => shownIn(zone, timeMs + hours * HOUR).minute)
  return ((after ?? 0) - (before ?? 0) + 1_440) % 1_440 !== 360
}

/** When it is on, as stretches of minutes. */
function stretches(maintenance: Maintenance, from: string, to: string): readonly string[] {
  const found: string[] = []
  let since: string | undefined
  for (let timeMs = at(from); timeMs <= at(to); timeMs += MINUTE) {
    const now = new Date(timeMs).toISOString().slice(0, 16)
    if (isOn(maintenance, timeMs)) since ??= now
    else if (since !== undefined) {
      found.push(`${since} to ${now}`)
      since = undefined
    }
  }
  return since === undefined ? found : [...found, `${since} on`]
}

const isFiring = (id: string): boolean => id === 'slow/14.4x'
const never = (): boolean => false

describe('what comes first', () => {
  const silence: Silence = {
    id: 's1',
    rule: 'slow',
    matchers: { tenant: 'acme' },
    fromMs: NOON,
    untilMs: NOON + HOUR,
    createdBy: '',
    comment: '',
  }
  const once: Maintenance = { name: 'move', timeZone: 'UTC', fromMs: NOON, untilMs: NOON + HOUR }
  const rule: Rule = ruleOf({
    id: 'slow/6x',
    level: '6x',
    maintenance: [once],
    inhibitedBy: ['slow/20x', 'slow/14.4x'],
  })
  test('a silence, then maintenance, then a worse level', () => {
    expect(mutedBy(rule, GROUP, NOON, [silence], isFiring)).toBe('silence:s1')
    expect(mutedBy(rule, GROUP, NOON, [], isFiring)).toBe('maintenance:move')
    expect(mutedBy(rule, GROUP, NOON + HOUR, [silence], isFiring)).toBe('inhibited:14.4x')
    expect(mutedBy(rule, GROUP, NOON + HOUR, [silence], never)).toBe('')
  })

  test('what is about others does not matter', () => {
    const other = { ...silence, matchers: { tenant: 'other' } }
    expect(mutedBy(ruleOf(), GROUP, NOON, [other], () => true)).toBe('')
  })

  test('the first level that fires gives its name, and a rule without levels its own', () => {
    expect(mutedBy(rule, GROUP, 0, [], () => true)).toBe('inhibited:20x')
    const plain = ruleOf({ inhibitedBy: ['slower'] })
    expect(mutedBy(plain, GROUP, 0, [], () => true)).toBe('inhibited:slower')
  })

  test('maintenance once is on from its start to just before its end', () => {
    const ends = [NOON - 1, NOON, NOON + HOUR - 1, NOON + HOUR]
    const named = ends.map((timeMs) => mutedBy(rule, GROUP, timeMs, [], never))
    expect(named).toEqual(['', 'maintenance:move', 'maintenance:move', ''])
  })
})

describe('weekly maintenance', () => {
  test.each([
    [
      'is on on its days alone',
      weekly('UTC', [3, 5], '02:00', '04:30'),
      ['2026-06-15T00:00Z', '2026-06-22T00:00Z'],
      ['2026-06-17T02:00 to 2026-06-17T04:30', '2026-06-19T02:00 to 2026-06-19T04:30'],
    ],
    [
      'goes on past midnight, into a day that is none of its own',
      weekly('UTC', [7], '23:00', '01:00'),
      ['2026-06-19T00:00Z', '2026-06-24T00:00Z'],
      ['2026-06-21T23:00 to 2026-06-22T01:00'],
    ],
    [
      'is a whole day where it ends as it starts',
      weekly('UTC', [1], '06:00', '06:00'),
      ['2026-06-14T00:00Z', '2026-06-18T00:00Z'],
      ['2026-06-15T06:00 to 2026-06-16T06:00'],
    ],
    [
      'follows the clocks of its zone, and their day of the week',
      weekly('Asia/Kolkata', [1], '01:00', '03:00'),
      ['2026-06-13T00:00Z', '2026-06-17T00:00Z'],
      ['2026-06-14T19:30 to 2026-06-14T21:30'],
    ],
    [
      'moves with the clocks between winter and summer',
      weekly('Europe/Berlin', EVERY_DAY, '12:00', '13:00'),
      ['2026-03-28T00:00Z', '2026-03-30T00:00Z'],
      ['2026-03-28T11:00 to 2026-03-28T12:00', '2026-03-29T10:00 to 2026-03-29T11:00'],
    ],
    [
      'is shorter where an hour of it is skipped',
      weekly('Europe/Berlin', [7], '01:00', '04:00'),
      ['2026-03-28T12:00Z', '2026-03-30T00:00Z'],
      ['2026-03-29T00:00 to 2026-03-29T02:00'],
    ],
    [
      'starts as the clocks go on where its start is skipped',
      weekly('Europe/Berlin', [7], '02:30', '03:30'),
      ['2026-03-28T12:00Z', '2026-03-30T00:00Z'],
      ['2026-03-29T01:00 to 2026-03-29T01:30'],
    ],
    [
      'does not come where all of it is skipped',
      weekly('Europe/Berlin', [7], '02:10', '02:50'),
      ['2026-03-28T12:00Z', '2026-03-30T00:00Z'],
      [],
    ],
    [
      'is longer where an hour of it comes twice',
      weekly('Europe/Berlin', [7], '01:00', '04:00'),
      ['2026-10-24T12:00Z', '2026-10-26T00:00Z'],
      ['2026-10-24T23:00 to 2026-10-25T03:00'],
    ],
    [
      'goes on where the clocks are put back in its midst',
      weekly('Europe/Berlin', [7], '02:30', '03:30'),
      ['2026-10-24T12:00Z', '2026-10-26T00:00Z'],
      ['2026-10-25T00:30 to 2026-10-25T02:30'],
    ],
    [
      'comes once where its hour comes twice',
      weekly('Europe/Berlin', [7], '02:15', '02:45'),
      ['2026-10-24T12:00Z', '2026-10-26T00:00Z'],
      ['2026-10-25T00:15 to 2026-10-25T01:45'],
    ],
    [
      'does not start when the clocks would have shown it, but for being put back',
      weekly('Europe/Berlin', [7], '03:00', '04:00'),
      ['2026-10-24T12:00Z', '2026-10-26T00:00Z'],
      ['2026-10-25T02:00 to 2026-10-25T03:00'],
    ],
    [
      'ends as the clocks show its end, where they are put back to that',
      weekly('Europe/Berlin', [7], '01:00', '02:00'),
      ['2026-10-24T12:00Z', '2026-10-26T00:00Z'],
      ['2026-10-24T23:00 to 2026-10-25T00:00'],
    ],
    [
      'lasts until the day before is over again',
      weekly('America/St_Johns', [5], '23:30', '23:15'),
      ['2010-11-05T00:00Z', '2010-11-09T00:00Z'],
      ['2010-11-06T02:00 to 2010-11-07T02:45'],
    ],
    [
      'ends at the last midnight of two',
      weekly('America/Havana', [6], '22:00', '00:30'),
      ['2026-10-31T00:00Z', '2026-11-02T00:00Z'],
      ['2026-11-01T02:00 to 2026-11-01T05:30'],
    ],
  ])('%s', (_what, maintenance, [from = '', to = ''], expected) => {
    expect(stretches(maintenance, from, to)).toEqual(expected)
  })

  test('is on whenever the clocks show it, and at no other time but where they are put back', () => {
    let on = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...CLOCKS.keys()),
        fc.subarray(EVERY_DAY, { minLength: 1 }),
        fc.nat(1_439),
        fc.nat(1_439),
        fc.nat(366 * 24 * 60),
        (zone, days, from, until, minutes) => {
          const timeMs = at('2026-01-01T00:00Z') + minutes * MINUTE
          const { day, minute } = shownIn(zone, timeMs)
          const isToday = days.includes(day)
          const wasYesterday = days.includes(day === 1 ? 7 : day - 1)
          const isShown =
            until > from
              ? isToday && from <= minute && minute < until
              : (isToday && from <= minute) || (wasYesterday && minute < until)
          const it = { name: 'm', timeZone: zone, days, fromMinute: from, untilMinute: until }
          const found = isOn(it, timeMs)
          on += found ? 1 : 0
          expect(found).toBe(isShown || (found && isNearChange(zone, timeMs)))
        },
      ),
      { seed: 7, numRuns: 3_000 },
    )
    expect(on).toBeGreaterThan(700)
  })
})
