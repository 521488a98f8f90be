import { describe, expect, test } from 'vitest'
import {
  readRows,
  readStart,
  type StoredSource,
} from '../../../services/alert/backtest/history-rows.ts'
import type { SeriesSpec } from '../../../services/alert/series.ts'
import { seriesOf } from '../condition-samples.ts'
import { storedRecords, type StoredRow } from './stored-records.ts'

const NOON = Date.parse('2026-06-17T12:00:00Z')
const MINUTE = 60_000
const RANGE = { fromMs: NOON, toMs: NOON + MINUTE }
const nanos = (ms: number) => String(BigInt(ms) * 1_000_000n)

const SPAN = {
  end_unix_nano: nanos(NOON + 1_500),
  received_time_unix_nano: nanos(NOON + 1_000),
  duration_nano: '1500000000',
  time_to_first_token_nano: '300000000',
  input_tokens: '100',
  output_tokens: '20',
  cost_pico_usd: '12345678901234567890',
  trace_id: 'a'.repeat(32),
  model: 'gpt-4o',
  tenant: 'acme',
  attributes: { colour: 'red', number: '7' },
  resource_attributes: { 'host.name': 'one' },
}
const SCORE = {
  time_unix_nano: nanos(NOON),
  received_time_unix_nano: nanos(NOON),
  score: 0.123456789,
  trace_id: 'b'.repeat(32),
  evaluator: 'judge',
}

/** The one row that a stored one becomes. */
async function read(
  source: StoredSource,
  stored: StoredRow['row'],
  series: readonly SeriesSpec[] = [],
) {
  const { clickhouse, asked } = storedRecords([{ source, timeMs: NOON, row: stored }])
  const [row] = await readRows(clickhouse, source, RANGE, series)
  if (row === undefined) throw new Error('there is none')
  return { row, asked }
}

describe('A stored span', () => {
  test('is what series count', async () => {
    const { row } = await read('spans', SPAN)
    expect(row).toMatchObject({ eventMs: NOON + 1_000, traceId: 'a'.repeat(32) })
    expect(row.texts).toMatchObject({ model: 'gpt-4o', tenant: 'acme' })
    expect(row.values).toEqual({
      cost: 12_345_678_901_234_567_890n,
      duration: 1_500_000_000n,
      ttft: 300_000_000n,
      input_tokens: 100n,
      output_tokens: 20n,
      tokens: 120n,
      skew: 500_000_000n,
    })
  })

  test.each([
    ['neither', null, null, null],
    ['input alone', '5', null, 5n],
    ['output alone', null, '7', 7n],
  ])('has tokens where it has %s', async (_, input_tokens, output_tokens, tokens) => {
    const { row } = await read('spans', { ...SPAN, input_tokens, output_tokens })
    expect(row.values.tokens).toBe(tokens)
  })

  test('without a price has no cost, which is not 0', async () => {
    const { row } = await read('spans', { ...SPAN, cost_pico_usd: null })
    expect(row.values.cost).toBeNull()
  })

  test('that ends before it came in has no skew', async () => {
    const { row } = await read('spans', { ...SPAN, end_unix_nano: nanos(NOON) })
    expect(row.values.skew).toBe(0n)
  })

  test('that ends after it came in counts as from when it came', async () => {
    const { row } = await read('spans', { ...SPAN, end_unix_nano: nanos(NOON + 60 * MINUTE) })
    expect(row.eventMs).toBe(NOON + 1_000)
    expect(row.values.skew).toBe(3_599_000_000_000n)
  })

  test('has attributes as dimensions where a series asks for some, and only then', async () => {
    const series = seriesOf(undefined, {
      by: ['attributes.colour'],
      where: [
        { dimension: 'resource.host.name', values: ['one'], isNegated: false },
        { dimension: 'attributes.absent', values: ['one'], isNegated: true },
      ],
      bad: { matches: [{ dimension: 'attributes.number', values: ['7'], isNegated: false }] },
    })
    const { row, asked } = await read('spans', SPAN, [series])
    expect(asked[0]?.params['with_attributes']).toBe(true)
    expect(row.texts).toMatchObject({
      'attributes.colour': 'red',
      'attributes.number': '7',
      'attributes.absent': '',
      'resource.host.name': 'one',
    })
    const plain = await read('spans', SPAN, [seriesOf()])
    expect(plain.asked[0]?.params['with_attributes']).toBe(false)
    expect(Object.keys(plain.row.texts)).not.toContain('attributes.colour')
  })
})

describe('A stored score', () => {
  test('is in whole units', async () => {
    const { row } = await read('evaluations', SCORE)
    expect(row).toMatchObject({ eventMs: NOON, traceId: 'b'.repeat(32) })
    expect([row.texts['evaluator'], row.values.score]).toEqual(['judge', 123_456_789])
  })

  test('may be none, where there is only a label', async () => {
    const { row } = await read('evaluations', { ...SCORE, score: null })
    expect(row.values.score).toBeNull()
  })

  test('of the future counts as from when it came in', async () => {
    const time_unix_nano = nanos(NOON + 60 * MINUTE)
    const { row } = await read('evaluations', { ...SCORE, time_unix_nano })
    expect(row.eventMs).toBe(NOON)
  })
})

test('A stored dead letter is one of its worker and reason', async () => {
  const stored = { time_unix_nano: nanos(NOON), worker: 'sink', reason: 'bad' }
  const { row } = await read('dead_letters', stored)
  expect(row).toEqual({ eventMs: NOON, traceId: '', texts: stored, values: {} })
})

test.each([
  ['none', [], undefined],
  ['one', [NOON + 5], NOON + 5],
  ['several', [NOON + 7, NOON + 5, NOON - 1], NOON + 5],
])('The start of a range with %s', async (_, times, start) => {
  const rows = times.map((timeMs) => ({ source: 'spans', timeMs, row: SPAN }) as const)
  expect(await readStart(storedRecords(rows).clickhouse, RANGE)).toBe(start)
})
