import { describe, expect, test } from 'vitest'
import { compilePolicies } from '../../../services/ingest/redact/policy-file.ts'
import { hashOf, policiesOf, redact } from './policies.ts'

const emailFile = (action: string) => `default: { detectors: { email: ${action} } }`

describe('What a policy does with matches', () => {
  test.each([
    ['mask', 'to [email] now'],
    ['drop', 'to  now'],
    ['keep', 'to bob@example.com now'],
  ])('%s', (action, expected) => {
    expect(redact('to bob@example.com now', emailFile(action))).toBe(expected)
  })

  test('hash: the same value has the same hash, however it is written, and another one for another tenant', () => {
    const hash = hashOf('bob@example.com')
    expect(hash).toMatch(/^hash:[0-9a-f]{16}$/)
    expect(redact('to bob@example.com, Bob@Example.com', emailFile('hash'))).toBe(
      `to ${hash}, ${hash}`,
    )
    expect(hashOf('bob@example.com', 'globex')).not.toBe(hash)
  })

  test('What overlaps is one match of the kind that stands first', () => {
    expect(redact('https://user:bob@example.com/')).toBe('https://user:[api_key]/')
  })
})

describe('Patterns of the user’s own', () => {
  const file = String.raw`
patterns:
  - { name: badge, pattern: 'EMP-\d{6}', contains: [EMP-] }
  - { name: ward, pattern: '(?i)ward [a-z]\b' }
`
  test('are found beside those that ship', () => {
    expect(redact('EMP-123456 in Ward B, bob@example.com', file)).toBe('[badge] in [ward], [email]')
  })

  test('take linear time', () => {
    const evil = "patterns: [{ name: evil, pattern: '(a+)+b' }]"
    const start = performance.now()
    redact('a'.repeat(50_000), evil)
    expect(performance.now() - start).toBeLessThan(3_000)
  })
})

describe('Each tenant has its own policy', () => {
  const policies = policiesOf('{ default: off, tenants: { acme: {} } }')
  test('or the default, which may be off', () => {
    expect(policies.policyOf('acme')).toBeDefined()
    expect(policies.policyOf('globex')).toBeUndefined()
    expect(policies.policyOf('')).toBeUndefined()
  })
})

const read =
  (text: string, key = '') =>
  () =>
    compilePolicies(text, 'redaction.yaml', { key, userKeys: [] })

describe('A file that is wrong names every place', () => {
  test.each([
    ['default: { detectors: { emial: mask } }', 'default.detectors.emial: is no detector'],
    ['default: { detectors: { email: hide } }', 'default'],
    ['default: { fields: { trace_id: mask } }', 'default.fields.trace_id: joins spans'],
    ['default: { fields: { nonsense: mask } }', 'default.fields.nonsense: is no field'],
    ["patterns: [{ name: x, pattern: '(a' }]", 'patterns.0.pattern: error parsing regexp'],
    ["patterns: [{ name: x, pattern: 'a*' }]", 'patterns.0.pattern: matches the empty text'],
    ["patterns: [{ name: email, pattern: 'a' }]", 'patterns.0.name: email is there already'],
    ['other: 1', 'redaction.yaml is not a redaction policy'],
  ])('%s', (text, message) => {
    expect(read(text)).toThrow(message)
  })

  test('Hashes need a key of 16 bytes, which no message shows', () => {
    const text = 'tenants: { acme: { user: hash } }'
    expect(read(text)).toThrow('SPANMETER_REDACTION_KEY')
    expect(read(text, 'tooshort')).toThrow(/^((?!tooshort).)*$/s)
    expect(read(text, 'x'.repeat(16))).not.toThrow()
    expect(read('default: {}')).not.toThrow()
  })
})
