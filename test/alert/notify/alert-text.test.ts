import { expect, test } from 'vitest'
import {
  cut,
  evidenceOf,
  groupText,
  isoTime,
  titleOf,
} from '../../../services/alert/notify/alert-text.ts'
import { alertOf, NOON_MS, resolvedOf } from './samples.ts'

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
