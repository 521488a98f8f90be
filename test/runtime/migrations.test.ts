import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '#runtime/config.ts'
import {
  fillVariables,
  MigrationError,
  migrationsFolder,
  parseMigrationVariables,
  readMigrations,
  splitStatements,
} from '#runtime/migrations.ts'

describe('splitting a text into statements', () => {
  test.each([
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ['SELECT 1', ['SELECT 1']],
    ['-- one; two\nSELECT 1; -- three;\n', ['SELECT 1']],
    ['/* one; */ SELECT 1', ['SELECT 1']],
    [`SELECT ';', "a;b", \`c;d\`; SELECT 2`, [`SELECT ';', "a;b", \`c;d\``, 'SELECT 2']],
    [`SELECT 'it''s; \\'so\\';'; SELECT 2`, [`SELECT 'it''s; \\'so\\';'`, 'SELECT 2']],
    [`SELECT '-- kept', 4 - 3, 8 / 2`, [`SELECT '-- kept', 4 - 3, 8 / 2`]],
    [' ;\n; ', []],
  ])('%s', (text, statements) => {
    expect(splitStatements(text)).toEqual(statements)
  })
})

describe('filling in variables', () => {
  test('puts each value in its place', () => {
    const filled = fillVariables(
      '${DATABASE}.a ${DATABASE}.b ${DAYS}',
      { DATABASE: 'd', DAYS: '7' },
      'f',
    )
    expect(filled).toBe('d.a d.b 7')
  })

  test('names the file and the variable that has no value', () => {
    expect(() => fillVariables('${DAYS}', {}, '001_a.sql')).toThrow(
      '001_a.sql: no value for ${DAYS} is given.',
    )
  })

  test('takes no value that could be more than a name or a number', () => {
    expect(() => fillVariables('${DAYS}', { DAYS: '7; DROP TABLE a' }, 'f')).toThrow(MigrationError)
  })
})

describe('the variables of the environment', () => {
  test('have defaults', () => {
    expect(parseMigrationVariables({})).toMatchObject({
      SPANS_DAYS: '90',
      CONTENT_DAYS: '14',
      ROLLUPS_DAYS: '400',
    })
  })

  test('are refused by name', () => {
    expect(() => parseMigrationVariables({ SPANMETER_SPANS_TTL_DAYS: 'long' })).toThrow(ConfigError)
    expect(() => parseMigrationVariables({ SPANMETER_SPANS_TTL_DAYS: '0' })).toThrow(
      'SPANMETER_SPANS_TTL_DAYS=0',
    )
  })
})

/** Migrations of a folder that holds the given files. */
async function readFolder(files: Readonly<Record<string, string>>) {
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-migrations-'))
  try {
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text)
    return readMigrations(folder, { DAYS: '7' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('a folder', () => {
  test('gives numbered files by number, then the others', async () => {
    const text = 'SELECT 1;'
    const migrations = await readFolder({ 'a.sql': text, '010_b.sql': text, '002_c.sql': text })
    expect(migrations.map(({ file }) => file)).toEqual(['002_c.sql', '010_b.sql', 'a.sql'])
  })

  test('with one number twice is refused', async () => {
    const files = { '001_a.sql': 'SELECT 1;', '001_b.sql': 'SELECT 2;' }
    await expect(readFolder(files)).rejects.toThrow('001_a.sql and 001_b.sql have the same number')
  })

  test('without files is refused', async () => {
    await expect(readFolder({})).rejects.toBeInstanceOf(MigrationError)
  })
})

describe("the project's files", () => {
  const migrations = readMigrations(migrationsFolder, {
    ...parseMigrationVariables({}),
    DATABASE: 'spanmeter',
  })
  const statements = migrations.flatMap((migration) => migration.statements)
  const landing = (table: string) =>
    statements.find((statement) => statement.includes(`spanmeter.${table}\n`)) ?? ''

  test('hold statements that can be repeated only', () => {
    const repeatable =
      /^(CREATE (TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS|ALTER TABLE \S+\s+(MODIFY TTL|MODIFY SETTING|ADD COLUMN IF NOT EXISTS)) /
    expect(statements.filter((statement) => !repeatable.test(statement))).toEqual([])
  })

  test('remember enough inserts in every table that keeps rows', () => {
    const tables = statements.filter((statement) => /ENGINE = \w*MergeTree/.test(statement))
    expect(tables.length).toBeGreaterThan(6)
    for (const table of tables)
      expect(table).toContain('non_replicated_deduplication_window = 10000')
  })

  test.each([
    ['spans_landing', 'enriched-span'],
    ['dead_letters_landing', 'dead-letter'],
    ['price_corrections_landing', 'price-correction'],
  ])('give %s the fields of schemas/%s.avsc, in order', (table, schema) => {
    const url = new URL(`../../schemas/${schema}.avsc`, import.meta.url)
    const { fields }: { fields: { name: string }[] } = JSON.parse(readFileSync(url, 'utf8'))
    const added = statements
      .filter((statement) => statement.startsWith(`ALTER TABLE spanmeter.${table} ADD COLUMN`))
      .map((statement) => / EXISTS (\w+) /.exec(statement)?.[1])
    const made = [...landing(table).matchAll(/^ {4}`?(\w+)`? /gm)].map(([, name]) => name)
    const columns = [...made, ...added]
    expect(columns).toEqual(fields.map((field) => field.name))
  })
})
