import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '#runtime/config.ts'
import { fillVariables, MigrationError, splitStatements } from '#runtime/migrations.ts'
import { isDays, parseRetention } from '#runtime/retention.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-retention-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function retentionOf(text: string, env: Readonly<Record<string, string>> = {}) {
  const file = join(folder, 'retention.yaml')
  await writeFile(file, text)
  return parseRetention({ ...env, SPANMETER_RETENTION: file })
}

test('without a file all tenants are kept alike, by the variables', () => {
  expect(parseRetention({ SPANMETER_SPANS_TTL_DAYS: '30' })).toEqual({
    CONTENT_DAYS: '14',
    CONTENT_WHOLE: '1',
    SPANS_DAYS: '30',
    SPANS_WHOLE: '1',
    ROLLUPS_DAYS: '400',
    ROLLUPS_WHOLE: '1',
    EVALUATIONS_DAYS: '30',
    EVALUATIONS_WHOLE: '1',
    ALERTS_DAYS: '400',
    SPANS_TTL_DAYS: '30',
    ROLLUP_TTL_DAYS: '400',
  })
})

test('a tenant has days of its own for what the file says, and parts of that alone are not dropped whole', async () => {
  const text = 'default: {spans: 60}\ntenants: {acme: {content: 7, spans: 60}, b: {rollups: 800}}'
  await expect(retentionOf(text)).resolves.toMatchObject({
    CONTENT_DAYS: "transform(tenant, ['acme'], [7], 14)",
    CONTENT_WHOLE: '0',
    SPANS_DAYS: '60',
    SPANS_WHOLE: '1',
    ROLLUPS_DAYS: "transform(tenant, ['b'], [800], 400)",
    ROLLUPS_WHOLE: '0',
    EVALUATIONS_DAYS: '60',
    ALERTS_DAYS: "transform(`group`['tenant'], ['b'], [800], 400)",
  })
})

test('any name of a tenant makes one expression, and nothing else does', async () => {
  const names = ["a'b", 'a\\', "'); DROP TABLE x; --", "\\'", 'ü, ', ', ']
  const tenants = Object.fromEntries(names.map((name, i) => [name, { content: i + 1 }]))
  const { CONTENT_DAYS = '' } = await retentionOf(JSON.stringify({ tenants }))
  expect(isDays(CONTENT_DAYS)).toBe(true)
  const filled = fillVariables('A ${CONTENT_DAYS} B; C', { CONTENT_DAYS }, 'f')
  expect(splitStatements(filled)).toEqual([`A ${CONTENT_DAYS} B`, 'C'])
  const bad = "transform(tenant, ['a'], [1], 2) DAY; DROP TABLE x; --, ['a'], [1], 2)"
  expect(() => fillVariables('${X}', { X: bad }, 'f')).toThrow(MigrationError)
})

test.each([
  ['tenants: {acme: {contents: 7}}', 'contents'],
  ['tenants: {acme: {content: 0}}', 'tenants.acme.content'],
  ['default: {spans: 1.5}', 'default.spans'],
  ['tenants: [', 'is not YAML'],
])('%s is refused, with its place', async (text, place) => {
  await expect(retentionOf(text)).rejects.toThrow(ConfigError)
  await expect(retentionOf(text)).rejects.toThrow(place)
})

test('a file that cannot be read is refused by name', () => {
  expect(() => parseRetention({ SPANMETER_RETENTION: '/nowhere.yaml' })).toThrow('/nowhere.yaml')
})
