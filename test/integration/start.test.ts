import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseWorkload } from '../../services/cli/replay/csv.ts'
import { makeTrace } from '../../services/cli/replay/trace.ts'
import type { Summary } from '../../services/cli/summary.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'

/**
 * Goal: the first command of the README does what it says, and its figures are right to the last
 * digit. Method: run it, and add up tokens and cost again from the CSV, row by row, with the
 * providers' list prices written down here.
 */

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CSV = join(ROOT, 'examples/data/azure-llm-inference-2023-conversation.csv')

/** USD for a million tokens: input, input read from a cache, output. As listed in November 2026. */
const LIST_PRICES: Readonly<Record<string, readonly [string, string, string]>> = {
  'gpt-4o-mini': ['0.15', '0.075', '0.6'],
  'gpt-4o': ['2.5', '1.25', '10'],
  'gpt-4.1': ['2', '0.5', '8'],
  'claude-haiku-4-5': ['1', '0.1', '5'],
  'claude-sonnet-4-5': ['3', '0.3', '15'],
  'gemini-2.5-flash': ['0.3', '0.03', '2.5'],
}

interface Sum {
  requests: number
  errors: number
  inputTokens: number
  outputTokens: number
  picoUsd: bigint
}

/** USD for a million tokens is pico-USD times a million for one: shift the decimal point by six. */
const picoPerToken = (usd = '0'): bigint => {
  const [whole = '0', fraction = ''] = usd.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

function addUp(): Map<string, Sum> {
  const sums = new Map<string, Sum>()
  const rows = parseWorkload(readFileSync(CSV, 'utf8'), CSV)
  const firstRequestNs = rows[0]?.timeNs ?? 0n
  for (const [index, row] of rows.entries()) {
    const spans = makeTrace(row, index, { seed: 1, shiftNs: 0n, firstRequestNs })
    const calls = spans.filter(({ attributes }) => attributes['gen_ai.operation.name'] === 'chat')
    expect(calls).toHaveLength(1)
    for (const { attributes } of calls) {
      const model = String(attributes['gen_ai.request.model'])
      const sum = sums.get(model) ?? {
        requests: 0,
        errors: 0,
        inputTokens: 0,
        outputTokens: 0,
        picoUsd: 0n,
      }
      sums.set(model, sum)
      sum.requests++
      if (attributes['error.type'] !== undefined) {
        sum.errors++
        continue
      }
      const [input, cached, output] = LIST_PRICES[model] ?? []
      const read = Number(attributes['gen_ai.usage.cache_read.input_tokens'] ?? 0)
      sum.inputTokens += row.inputTokens
      sum.outputTokens += row.outputTokens
      sum.picoUsd +=
        BigInt(row.inputTokens - read) * picoPerToken(input) +
        BigInt(read) * picoPerToken(cached) +
        BigInt(row.outputTokens) * picoPerToken(output)
    }
  }
  return sums
}

function toUsd(pico: bigint): string {
  const digits = String(pico).padStart(13, '0')
  return `${digits.slice(0, -12)}.${digits.slice(-12)}`
}

const byName = (a: { model: string }, b: { model: string }) => a.model.localeCompare(b.model)

async function start(flags: readonly string[], dataDir: string) {
  const [http = 0, grpc = 0, kafka = 0, clickhouse = 0, native = 0] = await findFreePorts(5)
  const child = spawn(process.execPath, ['services/cli/main.ts', 'start', ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SPANMETER_DATA_DIR: dataDir,
      SPANMETER_OTLP_HTTP_PORT: String(http),
      SPANMETER_OTLP_GRPC_PORT: String(grpc),
      SPANMETER_KAFKA_PORT: String(kafka),
      SPANMETER_CLICKHOUSE_HTTP_PORT: String(clickhouse),
      SPANMETER_CLICKHOUSE_NATIVE_PORT: String(native),
      SPANMETER_INGEST_METRICS_PORT: '0',
      SPANMETER_ENRICH_METRICS_PORT: '0',
      SPANMETER_SINK_METRICS_PORT: '0',
      SPANMETER_ALERT_METRICS_PORT: '0',
    },
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, ...said }
}

/** The sample's provider outage raises an alert for each of its models, which the sample also ends. */
function expectOutageAlerts({ alerts }: Summary): void {
  const ofModels = alerts.filter(({ group }) => group['model']?.startsWith('claude-'))
  const ended = ofModels.filter(({ resolvedAt }) => resolvedAt !== null)
  expect(new Set(ended.map(({ group }) => group['model']))).toEqual(
    new Set(['claude-haiku-4-5', 'claude-sonnet-4-5']),
  )
  for (const { firedAt, resolvedAt, value, threshold } of ended) {
    expect(Date.parse(resolvedAt ?? '')).toBeGreaterThan(Date.parse(firedAt))
    expect([typeof value, typeof threshold]).toEqual(['number', 'number'])
  }
  expect(alerts.map(({ firedAt }) => firedAt)).toEqual(alerts.map(({ firedAt }) => firedAt).sort())
}

test(
  'npm start -- --once --json lands the sample exactly once, at the right cost, and alerts',
  { timeout: 240_000 },
  async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-start-'))
    try {
      const { code, out, err } = await start(['--once', '--json'], dataDir)
      expect([code, code === 0 ? '' : err]).toEqual([0, ''])
      const summary: Summary = JSON.parse(out.trim().split('\n').at(-1) ?? '')
      expect(summary.sent).toEqual({ traces: 19_366, spans: summary.landed.spans })
      const expected = [...addUp()].map(([model, sum]) => ({
        model,
        requests: sum.requests,
        errors: sum.errors,
        inputTokens: sum.inputTokens,
        outputTokens: sum.outputTokens,
        costUsd: LIST_PRICES[model] === undefined ? null : toUsd(sum.picoUsd),
      }))
      const actual = summary.models.map(({ p50Ms: _50, p95Ms: _95, p99Ms: _99, ...model }) => model)
      expect(actual.toSorted(byName)).toEqual(expected.toSorted(byName))
      for (const { p50Ms, p95Ms, p99Ms } of summary.models) {
        expect([p50Ms > 0, p95Ms >= p50Ms, p99Ms >= p95Ms]).toEqual([true, true, true])
      }
      expect(summary.freshnessMs.p95).toBeGreaterThan(0)
      expectOutageAlerts(summary)
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  },
)
