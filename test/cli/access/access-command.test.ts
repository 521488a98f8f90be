import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('../../../services/cli/main.ts', import.meta.url))
const OWN = {
  SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD: 'migrator-password',
  SPANMETER_CLICKHOUSE_WRITER_PASSWORD: 'writer-password',
  SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD: 'grafana-password',
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spanmeter-access-command-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function users(env: Readonly<Record<string, string>>, ...flags: readonly string[]) {
  const child = spawn(process.execPath, [CLI, 'access', 'users', ...flags], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
  return { code, stdout, stderr }
}

describe('spanmeter access users', () => {
  test('writes a file for its owner alone, without any password in it', async () => {
    const out = join(folder, 'users.xml')
    writeFileSync(out, 'old', { mode: 0o644 })
    const { code, stdout } = await users(OWN, '--out', out)
    expect([code, stdout]).toEqual([0, `${out}: users migrator, writer, grafana\n`])
    const xml = readFileSync(out, 'utf8')
    expect(xml).toContain('<migrator><password_sha256_hex>')
    for (const password of Object.values(OWN)) expect(xml).not.toContain(password)
    expect(xml).not.toContain('<password></password>')
    expect(statSync(out).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['users.xml'])
  })

  test('gives the file the rights and the owner that a server needs', async () => {
    const out = join(folder, 'users.xml')
    const { uid, gid } = statSync(folder)
    const flags = ['--out', out, '--mode', '0640', '--owner', `${uid}:${gid}`, '--local-admin']
    expect((await users(OWN, ...flags)).stdout).toContain('users default (loopback), migrator')
    expect(statSync(out).mode & 0o777).toBe(0o640)
    expect(readFileSync(out, 'utf8')).toContain('<default><password></password>')
  })

  test('with --check only says who would be made', async () => {
    const file = join(folder, 'access.yaml')
    const user = 'users: [{ name: acme, role: tenant, tenants: [a, b], password: "${ACME}" }]'
    writeFileSync(file, user)
    const env = { ...OWN, SPANMETER_ACCESS: file, ACME: 'acme-password' }
    const { code, stdout } = await users(env, '--check')
    expect([code, stdout]).toEqual([
      0,
      'The configuration is valid: users migrator, writer, grafana, acme (of a, b)\n',
    ])
    expect(readdirSync(folder)).toEqual(['access.yaml'])
  })

  test.each([
    ['nobody', {}, ['--check'], 'No user has a password'],
    [
      'a writer without a migrator',
      { SPANMETER_CLICKHOUSE_WRITER_PASSWORD: 'writer-password' },
      ['--check'],
      'SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD',
    ],
    [
      'a short password',
      { SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD: 'short' },
      ['--check'],
      'SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD must have 12 characters',
    ],
    [
      'one password for two',
      { ...OWN, SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD: OWN.SPANMETER_CLICKHOUSE_WRITER_PASSWORD },
      ['--check'],
      'writer and grafana have the same password',
    ],
    [
      'a file that is not there',
      { ...OWN, SPANMETER_ACCESS: '/nowhere.yaml' },
      ['--check'],
      '/nowhere.yaml',
    ],
    [
      'a folder that is not there',
      OWN,
      ['--out', '/nowhere/users.xml'],
      '/nowhere/users.xml cannot be written',
    ],
    ['no flag', OWN, [], 'either --out FILE or --check'],
    ['an odd mode', OWN, ['--out', 'x', '--mode', '999'], 'octal'],
    ['an odd owner', OWN, ['--out', 'x', '--owner', 'clickhouse'], 'UID:GID'],
  ])('refuses %s, and says what to do', async (_, env, flags, complaint) => {
    const { code, stdout, stderr } = await users(env, ...flags)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(complaint)
    expect(stderr).not.toMatch(/writer-password|^\s+at /m)
  })
})
