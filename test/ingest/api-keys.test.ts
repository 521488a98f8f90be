import { describe, expect, test } from 'vitest'
import { createApiKey } from '#runtime/api-key.ts'
import { parseApiKeysFile } from '#runtime/api-keys-file.ts'
import { admitAll, createApiKeys } from '../../services/ingest/api-keys.ts'
import { createTenantLimits } from '../../services/ingest/tenant-limits.ts'

const [first, second, third] = [createApiKey(), createApiKey(), createApiKey()]

const fileOf = (keys: readonly string[], rest = '') =>
  parseApiKeysFile(`keys: [${keys.join(', ')}]\n${rest}`, 'keys.yaml')
const entry = ({ id, hash }: { id: string; hash: string }, tenant: string, rest = '') =>
  `{ id: ${id}, hash: ${hash}, tenant: ${tenant}${rest} }`

function setUp(file = fileOf([entry(first, 'acme'), entry(second, 'globex')])) {
  const clock = { nowMs: Date.UTC(2026, 0, 1) }
  const limits = createTenantLimits(() => clock.nowMs)
  return { clock, ...createApiKeys(file, { limits, now: () => clock.nowMs }) }
}

describe('A sender', () => {
  test('is the tenant of its key', () => {
    const { admit } = setUp()
    expect(admit(first.key, 'traces')).toMatchObject({ sender: { tenant: 'acme' } })
    expect(admit(second.key, 'evaluations')).toMatchObject({ sender: { tenant: 'globex' } })
  })

  test.each([
    ['no key', undefined, 'no_key'],
    ['no more than an id', `sm_${first.id}_`, 'unknown_key'],
    [
      'the id of one key and the secret of another',
      `sm_${first.id}_${second.key.slice(-43)}`,
      'unknown_key',
    ],
    ['a key that is not in the file', third.key, 'unknown_key'],
    ['the hash of a key', first.hash, 'unknown_key'],
    ['a key and more', `${first.key}x`, 'unknown_key'],
    ['a key in capitals', first.key.toUpperCase(), 'unknown_key'],
  ])('with %s is refused, and the refusal shows no secret', (_, key, reason) => {
    const admission = setUp().admit(key, 'traces')
    expect(admission).toMatchObject({ type: 'refused', reason })
    expect(JSON.stringify(admission)).not.toContain(first.key.slice(-43))
    expect(JSON.stringify(admission)).not.toContain(second.key.slice(-43))
  })

  test('needs the scope', () => {
    const { admit } = setUp(fileOf([entry(first, 'acme', ', scopes: [evaluations]')]))
    expect(admit(first.key, 'traces')).toMatchObject({ type: 'refused', reason: 'wrong_scope' })
    expect(admit(first.key, 'evaluations')).toMatchObject({ type: 'admitted' })
  })

  test('may change from one key to the next while both are valid', () => {
    const old = entry(first, 'acme', ', expires: 2026-01-02')
    const { admit, clock } = setUp(fileOf([old, entry(second, 'acme')]))
    clock.nowMs = Date.UTC(2026, 0, 2) - 1
    const keys = [first.key, second.key]
    expect(keys.map((key) => admit(key, 'traces').type)).toEqual(['admitted', 'admitted'])
    clock.nowMs += 1
    expect(admit(first.key, 'traces')).toMatchObject({ type: 'refused', reason: 'expired_key' })
    expect(admit(second.key, 'traces')).toMatchObject({ sender: { tenant: 'acme' } })
  })

  test('is told of an expired key only with the right secret', () => {
    const { admit } = setUp(fileOf([entry(first, 'acme', ', expires: 2020-01-01')]))
    const guess = `sm_${first.id}_${second.key.slice(-43)}`
    expect(admit(guess, 'traces')).toMatchObject({ reason: 'unknown_key' })
  })

  test('over its limits is told when to come again, with every key of the tenant', () => {
    const rest = 'tenants: { acme: { limits: { spans_per_second: 10, max_request_bytes: 900 } } }'
    const keys = [
      entry(first, 'acme', ', limits: { max_request_bytes: 500 }'),
      entry(second, 'acme'),
    ]
    const { admit, clock } = setUp(fileOf([...keys, entry(third, 'globex')], rest))
    const admission = admit(first.key, 'traces')
    expect(admission).toMatchObject({ type: 'admitted', maxRequestBytes: 500 })
    expect(admit(second.key, 'traces')).toMatchObject({ maxRequestBytes: 900 })
    expect(admit(third.key, 'traces')).toMatchObject({ maxRequestBytes: undefined })
    if (admission.type === 'admitted') admission.sender.meter?.take({ spans: 25, bytes: 0 })
    for (const { key } of [first, second]) {
      expect(admit(key, 'traces')).toMatchObject({ reason: 'rate_limited', retryAfterMs: 1_501 })
    }
    expect(admit(third.key, 'traces').type).toBe('admitted')
    clock.nowMs += 1_501
    expect(admit(first.key, 'traces').type).toBe('admitted')
  })

  test('is anybody where there are no keys', () => {
    expect(admitAll(undefined, 'traces')).toMatchObject({ sender: { tenant: undefined } })
  })
})

describe('A file that is read again', () => {
  test('lets in who is new, and keeps out who is gone', () => {
    const { admit, replace } = setUp(fileOf([entry(first, 'acme')]))
    replace(fileOf([entry(second, 'acme')]))
    expect(admit(first.key, 'traces')).toMatchObject({ reason: 'unknown_key' })
    expect(admit(second.key, 'traces').type).toBe('admitted')
  })

  test('does not let a tenant begin anew', () => {
    const rest = 'defaults: { limits: { spans_per_second: 10 } }'
    const { admit, replace } = setUp(fileOf([entry(first, 'acme')], rest))
    const admission = admit(first.key, 'traces')
    if (admission.type === 'admitted') admission.sender.meter?.take({ spans: 30, bytes: 0 })
    replace(fileOf([entry(second, 'acme')], rest))
    expect(admit(second.key, 'traces')).toMatchObject({ retryAfterMs: 2_001 })
  })
})
