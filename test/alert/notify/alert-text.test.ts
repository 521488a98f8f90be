import { expect, test } from 'vitest'
import {
  cut,
  evidenceOf,
  groupText,
  isoTime,
  titleOf,
  valueText,
} from '../../../services/alert/notify/alert-text.ts'
import { alertOf, NOON_MS, resolvedOf } from './samples.ts'

test.each([
  [null, 'USD', 'no data'],
  [0, 'USD', '0 USD'],
  [12.3456, 'USD', '12.35 USD'],
  [0.000012345, 'USD', '0.00001235 USD'],
  [1234.5, 'USD', '1,235 USD'],
  [1_234_567, 'tokens', '1,234,567 tokens'],
  [0.0512, 'ratio', '5.12%'],
  [14.4, 'x', '14.4x'],
  [1.5, 's', '1.5 s'],
  [42, 'none', '42'],
  [42, '', '42'],
  [-3.14159, 'score', '-3.142 score'],
])('%s in %s is read as %s', (value, unit, text) => {
  expect(valueText(value, unit)).toBe(text)
})

test.each([
  [alertOf(), 'Firing: cost-spike 2x'],
  [alertOf({ level: '' }), 'Firing: cost-spike'],
  [alertOf({ previous_state: 'firing', reason: 'reminder' }), 'Still firing: cost-spike 2x'],
  [alertOf({ previous_state: 'firing', reason: 'unmuted' }), 'Firing: cost-spike 2x'],
  [resolvedOf(), 'Resolved: cost-spike 2x'],
])('A title says what happened', (alert, title) => {
  expect(titleOf(alert)).toBe(title)
})

test('Evidence leaves out what an alert does not have', () => {
  expect(evidenceOf(alertOf())).toEqual([
    ['Value', '12.35 USD'],
    ['Threshold', '10 USD'],
    ['Baseline', '5 USD'],
    ['Records', '1234'],
  ])
  expect(evidenceOf(alertOf({ value: null, threshold: null, baseline: null }))).toEqual([
    ['Value', 'no data'],
    ['Records', '1234'],
  ])
})

test('Groups, times and long texts', () => {
  expect(groupText({ tenant: 'acme', model: 'gpt-4o' })).toBe('tenant=acme, model=gpt-4o')
  expect(groupText({})).toBe('')
  expect(isoTime(BigInt(NOON_MS) * 1_000_000n + 999_999n)).toBe('2026-03-01T12:00:00.000Z')
  expect([cut('12345', 5), cut('123456', 5)]).toEqual(['12345', '1234…'])
  expect(cut('123🔴🔴', 5)).toBe('123\uFFFD…')
})
