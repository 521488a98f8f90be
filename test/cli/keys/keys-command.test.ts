import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiKeyIdOf, hashApiKey } from '#runtime/api-key.ts'
import { readApiKeysFile } from '#runtime/api-keys-file.ts'
import { ConfigError } from '#runtime/config.ts'
import { createKeysCommand } from '../../../services/cli/keys/keys-command.ts'

const NOW_MS = Date.UTC(2026, 10, 21)

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanmeter-keys-'))
  file = join(folder, 'keys.yaml')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the command; gives what it wrote. */
function run(...args: readonly string[]): { out: string; err: string } {
  const written = { out: '', err: '' }
  const stream = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written[name] += chunk.toString()
        done()
      },
    })
  const command = createKeysCommand({
    env: { SPANMETER_API_KEYS: file },
    now: () => NOW_MS,
    stdout: stream('out'),
    stderr: stream('err'),
  })
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({ writeErr() {} })
  command.parse(args, { from: 'user' })
  return written
}
const create = (...args: readonly string[]) => run('create', ...args).out.trim()
const idOf = (key: string) => apiKeyIdOf(key) ?? 'no key'
const text = () => readFileSync(file, 'utf8')

describe('keys create', () => {
  test('shows the key once, and keeps its hash in a file that nobody else may read', () => {
    const { out, err } = run('create', '--tenant', 'acme')
    const key = out.trim()
    expect(idOf(key)).toMatch(/^[\da-f]{12}$/)
    expect(err).toContain(idOf(key))
    expect(err + text()).not.toContain(key.slice(-43))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readApiKeysFile(file).keys).toEqual([
      {
        id: idOf(key),
        hash: hashApiKey(key).toString('hex'),
        tenant: 'acme',
        scopes: ['traces', 'evaluations'],
        limits: {},
      },
    ])
  })

  test('takes scopes and an end', () => {
    create('--tenant', '7', '--scopes', 'evaluations', '--expires', '2027-01-31T12:00:00Z')
    expect(readApiKeysFile(file).keys).toMatchObject([
      { tenant: '7', scopes: ['evaluations'], expires: Date.UTC(2027, 0, 31, 12) },
    ])
  })

  test('leaves the rest of the file as it is', () => {
    const before = `# who\nkeys:\n  # the first\n  - { id: "0012", hash: ${'ab'.repeat(32)}, tenant: a } # old\n\n# how much\ndefaults:\n  limits: { spans_per_second: 10 }\n`
    writeFileSync(file, before)
    const key = create('--tenant', 'acme')
    const lines = new Set(text().split('\n'))
    expect(before.split('\n').filter((line) => !lines.has(line))).toEqual([])
    expect(readApiKeysFile(file).keys.map(({ id }) => id)).toEqual(['0012', idOf(key)])
  })

  test.each(['', '# nothing yet\n', 'keys: []\n', 'keys:\n'])('begins with %j', (before) => {
    writeFileSync(file, before)
    create('--tenant', 'acme')
    create('--tenant', 'globex')
    expect(readApiKeysFile(file).keys.map(({ tenant }) => tenant)).toEqual(['acme', 'globex'])
  })

  test.each([
    [['--tenant', ''], 'must not be empty'],
    [['--tenant', 'a', '--scopes', 'everything'], 'traces and evaluations'],
    [['--tenant', 'a', '--expires', 'soon'], 'ISO 8601'],
    [[], '--tenant'],
  ])('refuses %j and writes nothing', (args, complaint) => {
    expect(() => run('create', ...args)).toThrow(complaint)
    expect(existsSync(file)).toBe(false)
    expect(existsSync(`${file}.next`)).toBe(false)
  })

  test('does not touch a file that is not valid', () => {
    writeFileSync(file, 'keys: 7\n')
    expect(() => create('--tenant', 'acme')).toThrow(ConfigError)
    expect(text()).toBe('keys: 7\n')
  })

  test('makes way for another change, and leaves the next one free', () => {
    writeFileSync(`${file}.next`, '')
    expect(() => create('--tenant', 'acme')).toThrow(/Another change.*keys\.yaml\.next/)
    rmSync(`${file}.next`)
    create('--tenant', 'acme')
    expect(existsSync(`${file}.next`)).toBe(false)
  })
})

describe('keys list', () => {
  test('shows ids and states, and no hashes', () => {
    const [old, valid] = [
      create('--tenant', 'a', '--expires', '2026-11-21'),
      create('--tenant', 'b'),
    ]
    const { out } = run('list')
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['id', 'tenant', 'scopes', 'expires', 'state'],
      [idOf(old), 'a', 'traces,evaluations', '2026-11-21T00:00:00.000Z', 'expired'],
      [idOf(valid), 'b', 'traces,evaluations', 'never', 'valid'],
      [''],
    ])
    expect(JSON.parse(run('list', '--json').out)).toMatchObject([
      { id: idOf(old), state: 'expired' },
      { id: idOf(valid), expires: null },
    ])
    expect(run('list', '--json').out).not.toMatch(/[\da-f]{64}/)
  })

  test('of a file that is not there is empty', () => {
    expect(run('list', '--json').out).toBe('[]\n')
  })
})

describe('keys revoke', () => {
  test('takes a key out, or sets its end', () => {
    const [first, second] = [create('--tenant', 'a'), create('--tenant', 'b')]
    run('revoke', idOf(first))
    run('revoke', idOf(second), '--at', '2027-01-01')
    expect(readApiKeysFile(file).keys).toMatchObject([
      { id: idOf(second), expires: Date.UTC(2027, 0, 1) },
    ])
    run('revoke', idOf(second))
    expect(readApiKeysFile(file).keys).toEqual([])
    expect(readApiKeysFile(file).keys).toHaveLength(0)
    expect(idOf(create('--tenant', 'c'))).toBe(readApiKeysFile(file).keys[0]?.id)
  })

  test('says so where there is no such key', () => {
    create('--tenant', 'a')
    expect(() => run('revoke', 'nobody')).toThrow(/no key nobody/)
  })
})

test('The file may be named, and must be', () => {
  const other = join(folder, 'other.yaml')
  create('--tenant', 'a', '--file', other)
  expect(readApiKeysFile(other).keys).toHaveLength(1)
  expect(existsSync(file)).toBe(false)
  const command = createKeysCommand({ env: {} })
  expect(() => command.parse(['list'], { from: 'user' })).toThrow('SPANMETER_API_KEYS')
})
