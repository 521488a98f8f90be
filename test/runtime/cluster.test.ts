import { describe, expect, test } from 'vitest'
import { isView, onCluster, tablesThatKeep } from '#runtime/cluster.ts'
import { migrationsFolder, parseMigrationVariables, readMigrations } from '#runtime/migrations.ts'

const statements = readMigrations(migrationsFolder, {
  ...parseMigrationVariables({}),
  DATABASE: 'spanmeter',
}).flatMap((migration) => migration.statements)

describe('On a cluster', () => {
  test.each([
    ['CREATE DATABASE IF NOT EXISTS a', 'CREATE DATABASE IF NOT EXISTS a ON CLUSTER c'],
    [
      'CREATE TABLE IF NOT EXISTS a.b (x Int64) ENGINE = AggregatingMergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 9',
      'CREATE TABLE IF NOT EXISTS a.b ON CLUSTER c (x Int64) ENGINE = ReplicatedAggregatingMergeTree ORDER BY x SETTINGS replicated_deduplication_window_seconds = 604800, replicated_deduplication_window = 9',
    ],
    [
      'CREATE TABLE IF NOT EXISTS a.b (x Int64) ENGINE = Null',
      'CREATE TABLE IF NOT EXISTS a.b ON CLUSTER c (x Int64) ENGINE = Null',
    ],
    [
      'CREATE MATERIALIZED VIEW IF NOT EXISTS a.v TO a.b AS SELECT 1',
      'CREATE MATERIALIZED VIEW IF NOT EXISTS a.v ON CLUSTER c TO a.b AS SELECT 1',
    ],
    ['ALTER TABLE a.b MODIFY TTL x', 'ALTER TABLE a.b ON CLUSTER c MODIFY TTL x'],
    ['INSERT INTO a.b SELECT 1', 'INSERT INTO a.b SELECT 1'],
  ])('%s', (statement, expected) => {
    expect(onCluster(statement, 'c')).toBe(expected)
  })

  test('every statement of every migration runs on all servers, and keeps nothing on one alone', () => {
    expect(statements.length).toBeGreaterThan(60)
    for (const statement of statements) {
      const changed = onCluster(statement, 'c')
      expect(changed).toContain(' ON CLUSTER c')
      expect(changed).not.toMatch(/ENGINE = (?!Replicated)\w*MergeTree/)
      expect(changed).not.toContain('non_replicated')
    }
  })

  test('the tables that keep rows are read over all shards, and the views over those', () => {
    const tables = tablesThatKeep(statements)
    expect(tables).toEqual(expect.arrayContaining(['spans', 'requests_by_model_1h', 'alerts']))
    expect(tables.filter((table) => table.endsWith('_landing'))).toEqual([])
    expect(statements.filter(isView).length).toBeGreaterThan(5)
  })
})
