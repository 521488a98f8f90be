import { describe, expect, test } from 'vitest'
import { readRelations } from '../../../services/cli/access/relations.ts'

const read = (...statements: readonly string[]) => readRelations(statements, 'db')

describe('Relations', () => {
  test('are tables with their columns and engines', () => {
    const { tables, engines } = read(
      "CREATE TABLE IF NOT EXISTS db.a (tenant LowCardinality(String), `group` Map(String, String), parts Array(Tuple(x String, y Int64)) DEFAULT [(',)', 1)], INDEX i x TYPE bloom_filter(0.1), CONSTRAINT c CHECK 1) ENGINE = MergeTree ORDER BY tenant",
      'CREATE TABLE db.b AS db.a',
      'CREATE TABLE db.c AS db.a ENGINE = Null',
      'CREATE TABLE other.d (tenant String) ENGINE = Log',
    )
    expect([...tables.keys()]).toEqual(['a', 'b', 'c'])
    expect(tables.get('a')).toEqual({
      engine: 'MergeTree',
      columns: new Map([
        ['tenant', 'LowCardinality(String)'],
        ['group', 'Map(String, String)'],
        ['parts', "Array(Tuple(x String, y Int64)) DEFAULT [(',)', 1)]"],
      ]),
    })
    expect(tables.get('b')).toEqual(tables.get('a'))
    expect(tables.get('c')?.engine).toBe('Null')
    expect([...engines]).toEqual(['MergeTree', 'Null', 'Log'])
  })

  test('change as later statements say', () => {
    const { tables, views } = read(
      'CREATE TABLE db.a (x String) ENGINE = Log',
      'ALTER TABLE db.a ADD COLUMN IF NOT EXISTS tenant String AFTER x, ADD COLUMN y Int64',
      'CREATE TABLE db.b (tenant String) ENGINE = Log',
      'DROP TABLE IF EXISTS db.b SYNC',
      'CREATE VIEW db.v AS SELECT * FROM db.b',
      'CREATE OR REPLACE VIEW db.v AS SELECT * FROM db.a',
    )
    expect([...(tables.get('a')?.columns.keys() ?? [])]).toEqual(['x', 'tenant', 'y'])
    expect(tables.has('b')).toBe(false)
    expect(views.get('v')?.reads).toEqual(['a'])
  })

  test('are views with all that they read, and whose rights they use', () => {
    const { views } = read(
      "CREATE VIEW db.v AS SELECT 'db.quoted', x FROM db.a JOIN db.w(step = {step:UInt32}) USING x WHERE y IN (SELECT y FROM db.b)",
      'CREATE VIEW db.w DEFINER = default SQL SECURITY DEFINER AS SELECT 1',
      'CREATE VIEW db.n SQL SECURITY NONE AS SELECT * FROM db.a',
      'CREATE VIEW db.i SQL SECURITY INVOKER AS SELECT * FROM db.a',
    )
    expect(views.get('v')).toEqual({ reads: ['a', 'w', 'b'], asInvoker: true })
    expect([...views].map(([name, { asInvoker }]) => [name, asInvoker])).toEqual([
      ['v', true],
      ['w', false],
      ['n', false],
      ['i', true],
    ])
  })

  test('are materialized views with what they read, and not what they write', () => {
    const { materializedViews } = read(
      'CREATE MATERIALIZED VIEW IF NOT EXISTS db.m\nTO db.target AS\nWITH 1 AS x SELECT * FROM db.source AS s',
    )
    expect(materializedViews).toEqual([{ name: 'm', reads: ['source'] }])
  })
})
