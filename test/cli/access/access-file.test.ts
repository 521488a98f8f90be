import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseAccessFile } from '../../../services/cli/access/access-file.ts'

const ENV = { ACME_PASSWORD: 'long enough for acme', SHORT: 'short' }
const HASH = createHash('sha256').update('of somebody').digest('hex')
const read = (text: string) => parseAccessFile(text, 'access.yaml', ENV)
/** A user that is right but for the lines given in its place. */
const userWith = (...lines: readonly string[]) =>
  ['users:', '  - name: acme', ...lines.map((line) => `    ${line}`)].join('\n')
const SOUND = ['role: tenant', 'tenants: [acme]', 'password: ${ACME_PASSWORD}']

describe('An access file', () => {
  test('names viewers and tenants, with passwords that stand elsewhere', () => {
    const text = `
users:
  - name: acme_grafana
    role: tenant
    tenants: [acme, acme-eu, acme, 42]
    password: \${ACME_PASSWORD}
    networks: [10.0.0.0/8, "2001:db8::/32", 192.168.1.7]
  - name: analyst
    role: viewer
    password_sha256: ${HASH.toUpperCase()}
`
    expect(read(text)).toEqual([
      {
        name: 'acme_grafana',
        tenants: ['acme', 'acme-eu', '42'],
        passwordSha256: createHash('sha256').update(ENV.ACME_PASSWORD).digest('hex'),
        networks: ['10.0.0.0/8', '2001:db8::/32', '192.168.1.7'],
      },
      { name: 'analyst', tenants: undefined, passwordSha256: HASH, networks: ['::/0'] },
    ])
  })

  test('may name nobody', () => {
    expect(read('users: []')).toEqual([])
  })

  test.each([
    [
      'an unknown role',
      ['role: admin', SOUND[2]],
      'line 3, users.0.role: must be viewer or tenant',
    ],
    ['a tenant of nobody', [SOUND[0], SOUND[2]], 'line 2, users.0: a tenant needs tenants'],
    [
      'an empty tenant',
      [SOUND[0], 'tenants: [""]', SOUND[2]],
      'line 4, users.0.tenants.0: must not be empty',
    ],
    [
      'no tenants',
      [SOUND[0], 'tenants: []', SOUND[2]],
      'line 4, users.0.tenants: must name a tenant',
    ],
    [
      'a viewer of tenants',
      ['role: viewer', ...SOUND.slice(1)],
      'line 4, users.0.tenants: a viewer sees every',
    ],
    [
      'no password',
      SOUND.slice(0, 2),
      'line 2, users.0: needs password: ${NAME}, or password_sha256',
    ],
    [
      'two passwords',
      [...SOUND, `password_sha256: ${HASH}`],
      'users.0: needs password: ${NAME}, or password_sha256, and not both',
    ],
    [
      'a password in clear text',
      [...SOUND.slice(0, 2), 'password: hunter2hunter2'],
      'line 5, users.0.password: must be a variable',
    ],
    [
      'a variable that is not set',
      [...SOUND.slice(0, 2), 'password: ${MISSING}'],
      'line 5, users.0.password: the environment has no MISSING',
    ],
    [
      'a short password',
      [...SOUND.slice(0, 2), 'password: ${SHORT}'],
      'line 5, users.0.password: SHORT must have 12 characters',
    ],
    [
      'half a hash',
      [...SOUND.slice(0, 2), 'password_sha256: abc'],
      'line 5, users.0.password_sha256: must be the 64 hex digits',
    ],
    [
      'an odd network',
      [...SOUND, 'networks: [10.0.0.0/33]'],
      'line 6, users.0.networks.0: must be an address',
    ],
    [
      'a host as a network',
      [...SOUND, 'networks: [grafana.internal]'],
      'line 6, users.0.networks.0: must be an address',
    ],
    ['an unknown key', [...SOUND, 'tenant: acme'], 'line 6, users.0.tenant: is not known here'],
  ])('with %s says where and what', (_, lines, complaint) => {
    const text = userWith(...lines.map(String))
    expect(() => read(text)).toThrow('access.yaml does not say who may read')
    expect(() => read(text)).toThrow(complaint)
    expect(() => read(text)).not.toThrow(/hunter2|: short/)
  })

  test.each(['default', 'Writer', 'a.b', '1a', 'a b', '"<x>"'])(
    'may not name a user %s',
    (name) => {
      const text = ['users:', `  - name: ${name}`, ...SOUND.map((line) => `    ${line}`)].join('\n')
      expect(() => read(text)).toThrow('line 2, users.0.name')
    },
  )

  test('may not name a user twice, whatever the case', () => {
    const twice = `${userWith(...SOUND)}\n${userWith(...SOUND)
      .replace('users:\n', '')
      .replace('acme', 'ACME')}`
    expect(() => read(twice)).toThrow('line 6, users.1.name: stands above already')
  })

  test('that is no YAML is named, without its lines', () => {
    const broken = 'users: [\n  password: very-secret-hunter2\n'
    expect(() => read(broken)).toThrow('access.yaml is not YAML')
    expect(() => read(broken)).not.toThrow('hunter2')
  })

  test.each(['', 'nobody: 1', '[]', 'users: 5'])('of another shape is refused: %s', (text) => {
    expect(() => read(text)).toThrow('access.yaml does not say who may read')
  })
})
