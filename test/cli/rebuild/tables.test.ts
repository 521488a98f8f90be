import { expect, test } from 'vitest'
import { migrationsFolder, parseMigrationVariables, readMigrations } from '#runtime/migrations.ts'
import { readQuery } from '#runtime/queries.ts'
import {
  dayPartition,
  dayRollups,
  dayRows,
  landingViews,
  monthOf,
  monthRollups,
  rowViews,
} from '../../../services/cli/rebuild/tables.ts'

const variables = { ...parseMigrationVariables({}), DATABASE: 'db' }
const statements = readMigrations(migrationsFolder, variables).flatMap(
  (migration) => migration.statements,
)

/** Tables whose rows tell when something happened to the pipeline, or are nothing that spans make. */
const NOT_REBUILT = [
  'landings_1m',
  'dead_letters',
  'alerts',
  'alert_deliveries',
  'observations',
  'annotations',
  'erasures',
  'erasure_traces',
]

test('Every table that keeps rows is rebuilt, or said not to be', () => {
  const kept = statements.flatMap((statement) =>
    /ENGINE = Null/.test(statement)
      ? []
      : (/^CREATE TABLE IF NOT EXISTS db\.(\w+)/.exec(statement)?.[1] ?? []),
  )
  const classed = [...dayRollups, ...monthRollups, ...dayRows, ...NOT_REBUILT]
  expect(kept.toSorted()).toEqual(classed.toSorted())
})

test('Every view that feeds a table is one that rebuilds it, or is left out by its name', () => {
  const views = statements.flatMap(
    (statement) => /^CREATE MATERIALIZED VIEW IF NOT EXISTS db\.(\w+)/.exec(statement)?.[1] ?? [],
  )
  expect(views).toEqual(expect.arrayContaining([...rowViews, ...landingViews]))
})

test.each(['requests_by_model_1m', 'traces', 'spans'])('%s has a partition a day', (table) => {
  const made = statements.find((statement) =>
    statement.startsWith(`CREATE TABLE IF NOT EXISTS db.${table}\n`),
  )
  expect(made).toMatch(/PARTITION BY toDate\(/)
})

test.each([
  ['rebuild_spans', 'spans_landing', ['prompt', 'completion', 'content']],
  ['rebuild_corrections', 'price_corrections_landing', []],
  ['rebuild_evaluations', 'evaluations_landing', []],
])('%s gives %s every column that rows have', (query, table, without) => {
  const made =
    statements.find((statement) =>
      statement.startsWith(`CREATE TABLE IF NOT EXISTS db.${table}\n`),
    ) ?? ''
  const columns = [...made.matchAll(/^ {4}`?(\w+)`? /gm)].map(([, name = '']) => name)
  const list = /INSERT INTO \S+\s*\(([^)]*)\)/.exec(readQuery(query))?.[1] ?? ''
  const given = list.split(',').map((name) => name.trim())
  expect([...given, ...without].toSorted()).toEqual(columns.toSorted())
})

test('A day has a partition of its own, and one of its month', () => {
  expect([dayPartition('2026-02-28'), monthOf('2026-02-28')]).toEqual(['20260228', '2026-02-01'])
})
