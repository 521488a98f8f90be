import { describe, expect, test } from 'vitest'
import { apiKeyIdOf, createApiKey, hashApiKey } from '#runtime/api-key.ts'
import { parseApiKeysFile, readApiKeysFile } from '#runtime/api-keys-file.ts'
import { ConfigError } from '#runtime/config.ts'

const HASH = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)
const read = (text: string) => parseApiKeysFile(text, 'keys.yaml')

describe('A key', () => {
  test('names its id, has 256 bits of its own, and is told from others by its hash', () => {
    const keys = Array.from({ length: 100 }, createApiKey)
    expect(new Set(keys.map(({ key }) => key)).size).toBe(100)
    for (const { id, key, hash } of keys) {
      expect(apiKeyIdOf(key)).toBe(id)
      expect(Buffer.from(key.slice(`sm_${id}_`.length), 'base64url')).toHaveLength(32)
      expect(hashApiKey(key).toString('hex')).toBe(hash)
    }
  })

  test.each([
    '',
    'sm_',
    'sm_a_b',
    `sm__${'x'.repeat(43)}`,
    `sm_a_${'x'.repeat(44)}`,
    `sk_a_${'x'.repeat(43)}`,
  ])('is not %j', (text) => expect(apiKeyIdOf(text)).toBeUndefined())
})

describe('A file of keys', () => {
  test('says who may send what until when, and how much', () => {
    const file = read(`
keys:
  - { id: 0012, hash: ${HASH.toUpperCase()}, tenant: acme }
  - id: b
    hash: ${OTHER}
    tenant: "1"
    scopes: [traces]
    expires: 2030-01-02
    limits: { spans_per_second: 5 }
tenants:
  acme: { limits: { bytes_per_second: 7 } }
defaults: { limits: { spans_per_second: 100, max_request_bytes: 2000 } }
`)
    expect(file.keys).toEqual([
      { id: '0012', hash: HASH, tenant: 'acme', scopes: ['traces', 'evaluations'], limits: {} },
      {
        id: 'b',
        hash: OTHER,
        tenant: '1',
        scopes: ['traces'],
        expires: Date.UTC(2030, 0, 2),
        limits: { spans_per_second: 5 },
      },
    ])
    expect(file.defaults).toEqual({ spans_per_second: 100, max_request_bytes: 2_000 })
    expect(file.tenants.get('acme')).toEqual({ ...file.defaults, bytes_per_second: 7 })
  })

  test.each(['', '# nothing yet\n', '{}', 'keys: []'])('may be without keys: %j', (text) => {
    expect(read(text).keys).toEqual([])
  })

  test.each([
    ['keys: 7', 'line 1, keys: must be a list of keys'],
    [`keys: [{ id: a_b, hash: ${HASH}, tenant: t }]`, 'keys.0.id: must be up to 32 letters'],
    ['keys: [{ id: a, hash: xyz, tenant: t }]', 'keys.0.hash: must be the 64 hex digits'],
    [`keys: [{ id: a, hash: ${HASH} }]`, 'keys.0.tenant: must be a text'],
    [`keys: [{ id: a, hash: ${HASH}, tenant: "" }]`, 'keys.0.tenant: must not be empty'],
    [`keys: [{ id: a, hash: ${HASH}, tenant: t, scopes: [all] }]`, 'must be traces or evaluations'],
    [`keys: [{ id: a, hash: ${HASH}, tenant: t, scopes: [] }]`, 'must name a scope at least'],
    [`keys: [{ id: a, hash: ${HASH}, tenant: t, expires: soon }]`, 'must be an ISO date or time'],
    [
      `keys: [{ id: a, hash: ${HASH}, tenant: t, expire: 2030-01-01 }]`,
      'expire: is not known here',
    ],
    [`keys: [{ id: a, hash: ${HASH}, tenant: t, limits: { spans_per_second: 0 } }]`, 'at least 1'],
    [
      `keys:\n  - { id: a, hash: ${HASH}, tenant: t }\n  - { id: a, hash: ${OTHER}, tenant: t }`,
      'line 3, keys.1.id: stands above already',
    ],
    [
      `keys:\n  - { id: a, hash: ${HASH}, tenant: t }\n  - { id: b, hash: ${HASH}, tenant: t }`,
      'line 3, keys.1.hash: stands above already',
    ],
    ['tenants: { acme: { spans_per_second: 3 } }', 'spans_per_second: is not known here'],
  ])('is refused with the place: %j', (text, complaint) => {
    expect(() => read(text)).toThrow(ConfigError)
    expect(() => read(text)).toThrow(complaint)
  })

  test('is never shown in an error, as somebody may have put a key where its hash belongs', () => {
    const { key } = createApiKey()
    const broken = [
      `keys: [{ id: a, hash: ${key}, tenant: t }]`,
      `keys: [{ id: ${key}, hash: ${HASH}, tenant: t }]`,
      `keys: [{ id: a, hash: *${key} }]`,
      `keys: [ "${key}`,
      `keys: [{ ${key} }]: [`,
    ]
    for (const text of broken) {
      expect(() => read(text)).toThrow(ConfigError)
      expect(() => read(text)).not.toThrow(key)
    }
  })

  test('that cannot be read is named', () => {
    expect(() => readApiKeysFile('/nowhere/keys.yaml')).toThrow(/SPANMETER_API_KEYS.*\/nowhere/)
  })
})
