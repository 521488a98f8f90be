import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../../schemas/items.ts'
import { backtest } from '../../../services/alert/backtest/backtest.ts'
import type { RuleSet } from '../../../services/alert/rule.ts'
import { AlertLab, type LabRecord, scoreRow, spanRow } from '../../support/alert-lab.ts'
import { DAY, HOUR, MINUTE, readRules } from '../rule-texts.ts'
import { storedRecords, type StoredRow } from './stored-records.ts'

const NOON = Date.parse('2026-06-17T12:00:00Z')
const RULES = readRules(`
rules:
  - name: slow
    metric: p95(duration)
    by: [model]
    window: 1m
    condition: { above: 5s }
    for: 2
  - name: worse
    source: evaluations
    metric: mean(score)
    window: 10m
    condition: { below: 0.5 }
  - name: slower
    metric: mean(duration)
    window: 5m
    condition: { above: 2x, baseline: { trailing: 1h, warmup: 10m, min_count: 3 } }`)
const SPEND = readRules(`
rules:
  - name: spend
    metric: sum(cost)
    by: [model]
    window: 1h
    condition: { above: 1 USD }
  - name: day
    metric: sum(cost)
    condition: { budget: { limit: 2 USD, period: day } }`)

const slow = (atMs: number, seconds = 9, model = 'a') =>
  spanRow(atMs, {
    texts: { model },
    values: { duration: seconds * 1e9, cost: seconds * 2e10 },
    traceId: `${model}${atMs}`,
  })

/** A record as ClickHouse has it. */
function stored({ source, eventMs, texts, values, traceId }: LabRecord): StoredRow {
  const time = String(BigInt(eventMs) * 1_000_000n)
  const row = {
    ...texts,
    trace_id: traceId,
    received_time_unix_nano: time,
    ...(source === 'spans'
      ? {
          end_unix_nano: time,
          duration_nano: String(values.duration),
          cost_pico_usd: String(values.cost),
        }
      : { time_unix_nano: time, score: Number(values.score) / 1e9 }),
  }
  if (source === 'system') throw new Error('the system has no past')
  return { source, timeMs: eventMs, row }
}

async function backtestOf(
  rules: RuleSet,
  records: readonly LabRecord[],
  range = { fromMs: NOON - HOUR, toMs: NOON + 4 * HOUR },
) {
  const { clickhouse, asked } = storedRecords(records.map(stored))
  const progress: number[] = []
  const found = await backtest({
    clickhouse,
    rules,
    range,
    grafanaUrl: 'https://grafana.example',
    onProgress: (timeMs) => progress.push(timeMs),
    signal: new AbortController().signal,
  })
  return { ...found, asked, progress }
}

const someRecords = fc.array(
  fc
    .record({
      minute: fc.integer({ min: 0, max: 150 }),
      ms: fc.integer({ min: 0, max: MINUTE - 1 }),
      seconds: fc.constantFrom(1, 2, 9),
      model: fc.constantFrom('a', 'b'),
      isScore: fc.boolean(),
    })
    .map(({ minute, ms, seconds, model, isScore }) => {
      const atMs = NOON + minute * MINUTE + ms
      return isScore ? scoreRow(atMs, seconds / 10) : slow(atMs, seconds, model)
    }),
  { maxLength: 80 },
)

/** What the live evaluator says of the same records, minute by minute. */
function live(rules: RuleSet, records: readonly LabRecord[]) {
  const lab = new AlertLab(rules)
  lab.sendByMinute(records)
  lab.reach(NOON + 4 * HOUR)
  return lab.alerts
}

describe('A back-test', () => {
  test('makes the very alerts that were made of the same records when they came', async () => {
    await fc.assert(
      fc.asyncProperty(someRecords, async (records) => {
        const { alerts, records: count } = await backtestOf(RULES, records)
        expect(alerts.toSorted(byId)).toEqual(live(RULES, records).toSorted(byId))
        expect(count).toBe(records.length)
      }),
      { seed: 14, numRuns: 25 },
    )
  })

  test('fires sums and budgets in the same windows', async () => {
    await fc.assert(
      fc.asyncProperty(someRecords, async (records) => {
        const { alerts } = await backtestOf(SPEND, records)
        expect(when(alerts).toSorted()).toEqual(when(live(SPEND, records)).toSorted())
      }),
      { seed: 15, numRuns: 25 },
    )
  })

  test('tells what was decided in its range, and reads before it what baselines need, but no more', async () => {
    const usual = Array.from({ length: 30 }, (_, i) => slow(NOON + i * 2 * MINUTE, 1))
    const records = [
      ...usual,
      slow(NOON - 20 * MINUTE),
      slow(NOON + HOUR),
      slow(NOON + 61 * MINUTE),
    ]
    const range = { fromMs: NOON + 50 * MINUTE, toMs: NOON + 2 * HOUR }
    const { alerts, asked } = await backtestOf(RULES, records, range)
    expect(alerts.map(({ rule, state }) => `${rule} ${state}`)).toEqual([
      'slow pending',
      'slower firing',
      'slow firing',
      'slow resolved',
      'slower resolved',
    ])
    const first = asked.map(({ params }) => String(params['from'])).toSorted()[0]
    expect(first).toContain('12:00:00')
  })

  test('looks at no record after its range', async () => {
    const records = [slow(NOON), slow(NOON + MINUTE), slow(NOON + 2 * MINUTE)]
    const range = { fromMs: NOON, toMs: NOON + 90_000 }
    const { alerts, records: count } = await backtestOf(RULES, records, range)
    expect([alerts.map(({ state }) => state), count]).toEqual([['pending'], 2])
  })

  test('of nothing finds nothing', async () => {
    const { alerts, records, asked } = await backtestOf(RULES, [])
    expect([alerts, records, asked]).toEqual([[], 0, []])
  })

  test('reads what its rules look at alone', async () => {
    const { asked } = await backtestOf(SPEND, [slow(NOON)], { fromMs: NOON, toMs: NOON + HOUR })
    expect(new Set(asked.map(({ source }) => source))).toEqual(new Set(['spans']))
  })

  test('tells how far it has come, up to the end', async () => {
    const range = { fromMs: NOON, toMs: NOON + 15 * MINUTE }
    const { progress } = await backtestOf(RULES, [slow(NOON)], range)
    expect(progress).toEqual([NOON + 10 * MINUTE, NOON + 15 * MINUTE])
  })

  test('stops when it is told to', async () => {
    const { clickhouse } = storedRecords([stored(slow(NOON))])
    const done = backtest({
      clickhouse,
      rules: RULES,
      grafanaUrl: '',
      onProgress: () => undefined,
      range: { fromMs: NOON, toMs: NOON + DAY },
      signal: AbortSignal.abort(),
    })
    await expect(done).rejects.toThrow('aborted')
  })
})

const when = (alerts: readonly Alert[]) =>
  alerts.map(({ rule, group, state, time_unix_nano }) =>
    [rule, group['model'], state, time_unix_nano].join(' '),
  )
const byId = (a: { readonly alert_id: string }, b: { readonly alert_id: string }) =>
  a.alert_id < b.alert_id ? -1 : 1
