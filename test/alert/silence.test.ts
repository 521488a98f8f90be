import { describe, expect, test } from 'vitest'
import {
  formatSilence,
  isSilenced,
  parseSilence,
  type Silence,
  SilenceError,
} from '../../services/alert/silence.ts'
import { HOUR, NOON } from './alert-samples.ts'

const SILENCE: Silence = {
  id: '0b1c2d3e-aaaa-4bbb-8ccc-000000000001',
  rule: 'error-budget',
  matchers: { tenant: 'acme', 'attributes.zone': 'eu "1"' },
  fromMs: NOON,
  untilMs: NOON + HOUR,
  createdBy: 'ann',
  comment: 'Moving house – for an hour',
}
/** One that is over, which ends the one of its id. */
const OVER: Silence = {
  id: 'a',
  rule: '',
  matchers: {},
  fromMs: 0,
  untilMs: 0,
  createdBy: '',
  comment: '',
}

describe('as text', () => {
  test.each([[SILENCE], [OVER]])('comes back as it was', (silence) => {
    expect(parseSilence(formatSilence(silence))).toEqual(silence)
  })

  test('what a later version adds is passed over', () => {
    expect(parseSilence(JSON.stringify({ ...SILENCE, colour: 'blue' }))).toEqual(SILENCE)
  })

  test.each([
    ['', /not JSON/],
    ['{"id":', /not JSON/],
    ['null', /not valid/],
    ['[]', /not valid/],
    [{ id: '' }, /id: must be letters/],
    [{ id: 'a/b' }, /id: must be letters/],
    [{ rule: 1 }, /rule: .*string/],
    [{ matchers: { tenant: 1 } }, /matchers\.tenant: .*string/],
    [
      { matchers: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [i, ''])) },
      /matchers: has more than 16/,
    ],
    [{ fromMs: 1.5 }, /fromMs: .*int/],
    [{ untilMs: 'soon' }, /untilMs: .*number/],
    [{ untilMs: NOON - 1 }, /untilMs: is before fromMs/],
    [{ comment: 'a'.repeat(1_001) }, /comment: /],
  ])('%j is refused, and why', (given, message) => {
    const text = typeof given === 'string' ? given : JSON.stringify({ ...SILENCE, ...given })
    expect(() => parseSilence(text)).toThrow(SilenceError)
    expect(() => parseSilence(text)).toThrow(message)
  })

  test('all mistakes are told at once', () => {
    const text = JSON.stringify({ ...SILENCE, id: '', fromMs: -1 })
    expect(() => parseSilence(text)).toThrow(/id: .*; fromMs: /)
  })
})

describe('a silence', () => {
  const RULE = { id: 'error-budget/14.4x', name: 'error-budget' }
  const GROUP = { tenant: 'acme', model: 'gpt-4o' }
  const holds = (
    more: Partial<Silence>,
    timeMs = NOON,
    group: Readonly<Record<string, string>> = GROUP,
  ) => isSilenced([{ ...SILENCE, matchers: {}, id: 'it', ...more }], RULE, group, timeMs)

  test.each<[string, Partial<Silence>, boolean]>([
    ['of every rule', { rule: '' }, true],
    ['of the rule', {}, true],
    ['of the very level', { rule: 'error-budget/14.4x' }, true],
    ['of another level', { rule: 'error-budget/6x' }, false],
    ['of another rule', { rule: 'error' }, false],
    ['with a value of the group', { matchers: { tenant: 'acme' } }, true],
    ['with all values of the group', { matchers: GROUP }, true],
    ['with one value that is another', { matchers: { ...GROUP, model: 'gpt-4' } }, false],
    ['with a dimension that the rule has not', { matchers: { user: 'ann' } }, false],
  ])('%s', (_what, more, isOn) => {
    expect(holds(more)).toBe(isOn ? 'it' : '')
  })

  test('an empty value is not one that the rule has not', () => {
    expect(holds({ matchers: { team: '' } })).toBe('')
    expect(holds({ matchers: { team: '' } }, NOON, { team: '' })).toBe('it')
  })

  test('holds from its start to just before its end', () => {
    const ends = [NOON - 1, NOON, NOON + HOUR - 1, NOON + HOUR]
    expect(ends.map((timeMs) => holds({}, timeMs))).toEqual(['', 'it', 'it', ''])
  })

  test('the first that holds gives its name', () => {
    const all = [OVER, { ...SILENCE, id: 'b', matchers: {} }, { ...SILENCE, id: 'c', matchers: {} }]
    expect(isSilenced(all, RULE, GROUP, NOON)).toBe('b')
    expect(isSilenced([], RULE, GROUP, NOON)).toBe('')
  })
})
