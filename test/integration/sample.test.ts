import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Shown } from '../../grafana/build/panel-sql.ts'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { readRules } from '../../services/alert/config.ts'
import type { ReplayReport } from '../../services/cli/replay/report.ts'
import { sendSample, waitForAlerts, waitUntilLanded } from '../../services/cli/sample.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { toPico } from '../../services/cli/summary.ts'
import { runAlerts } from './alert-calls.ts'
import { dashboardQueries, panelRows, type Row } from './panel-rows.ts'
import { hasPanelcheck, runPanelcheck } from './panelcheck.ts'
import { sendWhatTheSampleLacks } from './sample-extras.ts'
import { quantileBounds, type SentCall, sentCalls, sum } from './sample-record.ts'

/**
 * Goal: what people are shown of the sample workload is what was sent. Method: the whole sample goes
 * through the stack once. Then a back-test is compared with the alerts as they came, every query of
 * every dashboard is asked as Grafana asks it, and each number of the overview is worked out again
 * from the sample's own record.
 */

const CATCH_UP_MS = 60_000
/** Windows at the very end wait for records that the sample has not. */
const END_MS = 2 * 60_000

let stack: TestStack
let receiver: Receiver
let folder: string
let sent: ReplayReport

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-sample-'))
  receiver = await startReceiver()
  const channels = join(folder, 'channels.yaml')
  const hook = `{ name: hook, type: webhook, url: '${receiver.url}', allow_private: true }`
  await writeFile(channels, `channels: [${hook}]`)
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: { SPANMETER_ALERT_CHANNELS: channels },
    workers: ['ingest', 'enrich', 'sink', 'alert'],
  })
  sent = await sendAll()
}, 180_000)

afterAll(async () => {
  await stack?.stop()
  await receiver?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** A change of an alert, wherever it was said. */
interface Change {
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: string
  readonly windowEnd: string
}

function liveChanges(): Promise<readonly Change[]> {
  return stack.clickhouse.query<Change>(
    `SELECT rule, level, group, state,
       formatDateTime(window_end, '%Y-%m-%dT%H:%i:%S.000Z') AS windowEnd
     FROM alerts`,
  )
}

async function pastChanges(from: string, to: string): Promise<readonly Change[]> {
  const range = ['--from', from, '--to', to]
  const { code, stdout } = await runAlerts(stack.env, 'backtest', ...range, '--pending', '--json')
  expect(code).toBe(0)
  const json = stdout.trimEnd().split('\n').at(-1) ?? ''
  const { alerts }: { alerts: readonly Change[] } = JSON.parse(json)
  return alerts
}

async function sendAll(): Promise<ReplayReport> {
  const { signal } = new AbortController()
  const report = await sendSample(stack.env, `http://127.0.0.1:${stack.httpPort}`, signal)
  await waitUntilLanded(stack.clickhouse, report.spans, signal)
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const isDone = () => waitForAlerts(kafka, signal)
  await until('alerts catch up', CATCH_UP_MS, isDone, (done) => done)
  await kafka.close()
  return report
}

const named = ({ rule, level, group }: Change) => [rule, level, JSON.stringify(group)].join(' ')

test('A back-test of the sample says what was said when it came in', async () => {
  const { firstSpanTime, lastSpanTime } = sent
  const past = await pastChanges(firstSpanTime ?? '', lastSpanTime ?? '')
  const live = await liveChanges()
  const { rules } = readRules({})
  const early = new Set(rules.filter(({ isEarly }) => isEarly).map(({ name }) => name))
  // The pipeline itself has no past.
  const kept = new Set(
    rules.filter(({ sources }) => !sources.includes('system')).map((r) => r.name),
  )

  const lastMs = Date.parse(lastSpanTime ?? '') - END_MS
  const decided = (all: readonly Change[]) =>
    all
      .filter(
        ({ rule, windowEnd }) =>
          kept.has(rule) && !early.has(rule) && Date.parse(windowEnd) <= lastMs,
      )
      .map((change) => `${change.windowEnd} ${named(change)} ${change.state}`)
      .toSorted()
  expect(decided(live)).toEqual(decided(past))
  expect(new Set(decided(live).map((line) => line.split(' ')[1])).size).toBeGreaterThanOrEqual(4)

  // What fires as soon as it is over its limit does so in the order in which records came.
  const firing = (all: readonly Change[]) =>
    all
      .filter(({ rule, state }) => early.has(rule) && kept.has(rule) && state === 'firing')
      .map(named)
      .toSorted()
  expect(firing(live)).toEqual(firing(past))
  expect(firing(live).length).toBeGreaterThan(0)
})

/** The range that a person would look at: whole minutes around all that was sent. */
function everything(): Shown {
  const fromMs = Math.floor(Date.parse(sent.firstSpanTime ?? '') / 60_000) * 60_000
  const toMs = Math.ceil(Date.parse(sent.lastSpanTime ?? '') / 60_000) * 60_000
  return { fromMs, toMs }
}

const QUERIES = dashboardQueries()

/** Rows of a panel of the overview. */
async function rowsOf(title: string, tenant?: string): Promise<readonly Row[]> {
  const query = QUERIES.find(({ where }) => where === `overview: ${title}`)
  if (query === undefined) throw new Error(`the overview has no panel "${title}"`)
  const variables = tenant === undefined ? {} : { tenant: [tenant] }
  return panelRows(stack.clickhouse, query, { ...everything(), variables })
}

describe('Each number of the overview', () => {
  let calls: readonly SentCall[]

  beforeAll(() => {
    calls = sentCalls(sent)
  })

  /** Of all tenants, and of each by itself. */
  const whose = ['all', 'one'] as const
  const pick = (who: (typeof whose)[number]) => {
    const tenant = who === 'all' ? undefined : sent.tenants[1]?.tenant
    const ours = calls.filter((call) => tenant === undefined || call.tenant === tenant)
    return { tenant, ours }
  }

  test.each(whose)('latency by minute and model (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const expected = Map.groupBy(ours, ({ minute, model }) => `${minute} ${model}`)
    const found = await rowsOf('Latency by model', tenant)
    expect(found.length).toBe(expected.size)
    for (const row of found) {
      const durations = (expected.get(`${seconds(row)} ${row['model']}`) ?? []).map(
        ({ durationMs }) => durationMs,
      )
      for (const [name, q] of [
        ['P50', 0.5],
        ['P95', 0.95],
        ['P99', 0.99],
      ] as const) {
        expectWithin(row[name], quantileBounds(durations, q))
      }
    }
  })

  test.each(whose)('the share of failed calls by minute and type (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const minutes = Map.groupBy(ours, ({ minute }) => minute)
    const expected = [...minutes].flatMap(([minute, all]) => {
      const failed = Map.groupBy(all, ({ errorType }) => errorType ?? '')
      failed.delete('')
      return [...failed].map(([type, errors]): readonly [string, unknown] => [
        `${minute} ${type}`,
        errors.length / all.length,
      ])
    })
    const found = (await rowsOf('Errors by type', tenant)).filter((row) => Number(row['share']) > 0)
    expect(
      new Map(found.map((row) => [`${seconds(row)} ${row['error_type']}`, row['share']])),
    ).toEqual(new Map(expected))
  })

  test.each(whose)('spend by minute and model (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const expected = new Map<string, bigint>()
    for (const { minute, model, costPicoUsd } of ours) {
      if (costPicoUsd === undefined) continue
      const key = `${minute} ${model}`
      expected.set(key, (expected.get(key) ?? 0n) + costPicoUsd)
    }
    const found = await rowsOf('Spend per hour', tenant)
    expect(found.length).toBe(expected.size)
    for (const row of found) {
      const pico = expected.get(`${seconds(row)} ${row['model']}`)
      expect(Number(row['usd'])).toBeCloseTo((Number(pico) / 1e12) * 60, 9)
    }
  })

  test.each(whose)('the figures of the range (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const { fromMs, toMs } = everything()
    const only = async (title: string) => Object.values((await rowsOf(title, tenant))[0] ?? {})[0]
    expect(await only('Calls per minute')).toBeCloseTo(ours.length / ((toMs - fromMs) / 60_000), 6)
    const failed = ours.filter(({ errorType }) => errorType !== undefined).length
    expect(await only('Failed')).toBeCloseTo(failed / ours.length, 12)
    const durations = ours.map(({ durationMs }) => durationMs)
    expectWithin(await only('P95 latency'), quantileBounds(durations, 0.95))
    const first = ours.flatMap(({ firstTokenMs }) => firstTokenMs ?? [])
    expectWithin(await only('P95 first token'), quantileBounds(first, 0.95))
    const lastHour = ours.filter(({ minute }) => minute >= toMs / 1_000 - 3_600)
    const pico = lastHour.reduce((total, { costPicoUsd }) => total + (costPicoUsd ?? 0n), 0n)
    expect(toPico(String(await only('Last hour')))).toBe(pico)
    expect(await only('Month at this rate')).toBeCloseTo((Number(pico) / 1e12) * 720, 6)
    const scores = ours.flatMap((call) => call.scores)
    expect(await only('Mean score')).toBeCloseTo(sum(scores) / scores.length, 9)
  })

  test('alerts that fire', async () => {
    const [row] = await stack.clickhouse.query<{ n: number }>(
      'SELECT toUInt32(count()) AS n FROM alerts_firing',
    )
    const [shown] = await rowsOf('Firing now')
    expect(Number(shown?.['firing'])).toBe(row?.n)
    expect(row?.n).toBeGreaterThan(0)
  })

  test.each(whose)('the table of models (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const expected = Map.groupBy(ours, ({ model }) => model)
    const found = await rowsOf('Models', tenant)
    expect(found.length).toBe(expected.size)
    for (const row of found) {
      const all = expected.get(String(row['model'])) ?? []
      expect(Number(row['calls'])).toBe(all.length)
      expect(Number(row['input tokens'])).toBe(sum(all.map(({ inputTokens }) => inputTokens)))
      expect(Number(row['output tokens'])).toBe(sum(all.map(({ outputTokens }) => outputTokens)))
      const costs = all.flatMap(({ costPicoUsd }) => costPicoUsd ?? [])
      const pico = costs.reduce((total, cost) => total + cost, 0n)
      expect(row['usd'] === null ? undefined : toPico(String(row['usd']))).toBe(
        costs.length === 0 ? undefined : pico,
      )
    }
  })

  test.each(whose)('tokens, scores and drift (%s)', async (who) => {
    const { tenant, ours } = pick(who)
    const tokens = await rowsOf('Tokens per hour by model', tenant)
    const perHour = sum(tokens.map((row) => Number(row['input'])))
    expect(perHour).toBe(sum(ours.map(({ inputTokens }) => inputTokens)) * 60)
    const byFeature = await rowsOf('Tokens by feature', tenant)
    for (const row of byFeature) {
      const mine = ours.filter(({ feature }) => feature === row['feature'])
      expect(Number(row['output'])).toBe(sum(mine.map(({ outputTokens }) => outputTokens)))
    }
    const scored = sum((await rowsOf('Drift', tenant)).map((row) => Number(row['scores_counted'])))
    expect(scored).toBe(sum(ours.map(({ scores }) => scores.length)))
  })
})

describe('Dashboards, once something was refused, annotated and told', () => {
  let tenant: string
  let shown: Shown

  // After the numbers of the overview, which know the sample alone.
  beforeAll(async () => {
    tenant = sent.tenants[0]?.tenant ?? ''
    await sendWhatTheSampleLacks(stack, tenant)
    shown = { ...everything(), toMs: Date.now() + 60_000 }
  }, 90_000)

  test.each(QUERIES.map((query) => [query.where, query] as const))('%s', async (_, query) => {
    expect((await panelRows(stack.clickhouse, query, shown)).length).toBeGreaterThan(0)
    const one = { ...shown, variables: { tenant: [tenant] } }
    expect((await panelRows(stack.clickhouse, query, one)).length).toBeGreaterThan(0)
  })

  describe.skipIf(!hasPanelcheck)(
    "through Grafana's own plugin (where panelcheck is there)",
    () => {
      const cases = (['http', 'native'] as const).flatMap((protocol) =>
        (['all tenants', 'one tenant'] as const).map((who) => [protocol, who] as const),
      )

      test.each(cases)('over %s for %s', async (protocol, who) => {
        const { port } = new URL(inject('clickhouseUrl'))
        const found = await runPanelcheck({
          protocol,
          port: protocol === 'http' ? Number(port) : inject('clickhouseNativePort'),
          database: stack.clickhouse.database,
          fromMs: shown.fromMs,
          toMs: shown.toMs,
          tenant: who === 'all tenants' ? undefined : tenant,
        })
        expect(found.length).toBeGreaterThan(100)
        expect(found.filter(({ rows, error }) => error !== undefined || (rows ?? 0) === 0)).toEqual(
          [],
        )
      })
    },
  )
})

/** Seconds since the epoch of a row's time, which ClickHouse writes as a text in UTC. */
function seconds(row: Row): number {
  return Date.parse(`${String(row['time']).replace(' ', 'T')}Z`) / 1_000
}

function expectWithin(value: unknown, [least, most]: readonly [number, number]): void {
  expect(Number(value)).toBeGreaterThanOrEqual(least)
  expect(Number(value)).toBeLessThanOrEqual(most)
}
