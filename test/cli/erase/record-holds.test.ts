import { expect, test } from 'vitest'
import { createMentions } from '../../../services/cli/erase/mentions.ts'
import { bytesHold, itemHolds, traceOf } from '../../../services/cli/erase/record-holds.ts'
import { otlpRequest, TRACE_ID } from '../../support/otlp-proto.ts'

const traceId = TRACE_ID.toString('hex')
const wanted = {
  user: 'ann',
  tenant: undefined,
  mentions: createMentions('ann'),
  traceIds: new Set([traceId]),
}
const ofAcme = { ...wanted, tenant: 'acme' }
const item = { tenant: 'acme', user: 'bob', trace_id: 'other', attributes: {} }

test.each([
  ['names the person', { ...item, user: 'ann' }, true],
  ['names them in an attribute', { ...item, attributes: { note: 'for ann' } }, true],
  ['names them in a key', { ...item, attributes: { ann: '1' } }, true],
  ['names them in a list', { ...item, events: [{ name: 'ann' }] }, true],
  ['lies in their trace and names nobody', { ...item, user: '', trace_id: traceId }, true],
  ['lies in their trace and names another', { ...item, trace_id: traceId }, false],
  ['has no user at all', { group: 'x', trace_id: traceId }, false],
  ['is of a group', { group: 'acme\u001Fann' }, true],
  ['is not theirs', item, false],
])('an item that %s', (_, given, expected) => {
  expect(itemHolds(given, wanted)).toBe(expected)
})

test('another tenant is another person', () => {
  expect(itemHolds({ ...item, user: 'ann', tenant: 'other' }, ofAcme)).toBe(false)
  expect(itemHolds({ ...item, user: 'ann', tenant: '' }, ofAcme)).toBe(true)
  expect(traceOf({ ...item, user: 'ann', tenant: 'other' }, ofAcme)).toBeUndefined()
  expect(traceOf({ ...item, user: 'ann' }, ofAcme)).toEqual({ tenant: 'acme', traceId: 'other' })
})

test('bytes hold the id of a trace, in protobuf and in JSON', () => {
  const none = { ...wanted, traceIds: new Set(['0'.repeat(32)]) }
  const request = otlpRequest({ spans: [{ name: 'a' }, { traceId: TRACE_ID }] })
  expect(bytesHold(request, wanted)).toBe(true)
  expect(bytesHold(request, none)).toBe(false)
  const json = Buffer.from(JSON.stringify({ traceId: traceId.toUpperCase() }))
  expect(bytesHold(json, wanted)).toBe(true)
  expect(bytesHold(json, none)).toBe(false)
})
