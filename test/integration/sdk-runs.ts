import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { ClickHouse } from '../../services/runtime/clickhouse.ts'
import type { Row } from '../python/calls.ts'
import type { SdkRun } from '../sdks/tracing.ts'
import { startProviderStub } from '../support/provider-stub.ts'
import { startTestStack, type TestStackOptions, until } from '../support/stack.ts'

/** What Spanmeter made of the traces of a script of test/sdks, by the names of its cases. */
export type SdkTraces = Readonly<Record<string, TraceOfCalls>>

/** The calls of one trace that count, in their order, and what the trace costs; 12 decimals, as text. */
export interface TraceOfCalls {
  readonly calls: readonly Row[]
  readonly cost: string
}

/** A stack and a stub of the providers, for scripts that trace real SDKs. */
export interface SdkStack {
  /** Runs a script in a process of its own, since what it patches stays patched. */
  run(script: string): Promise<SdkTraces>
  stop(): Promise<void>
}

const SCRIPTS = fileURLToPath(new URL('../sdks/', import.meta.url))
const SCRIPT_TIMEOUT_MS = 60_000
const LANDING_DEADLINE_MS = 30_000

const runSchema: z.ZodType<SdkRun> = z.object({
  traces: z.record(z.string(), z.string()),
  spans: z.number(),
})

// The stub waits 30 ms before it streams; clocks of two processes may differ by a few. What repeats
// the calls below it, and what is no call, does not count.
const CALLS = `
  SELECT
    kind, provider, request_model, response_model, streaming,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens,
    (time_to_first_token_nano BETWEEN 25000000 AND duration_nano)::Nullable(Bool) AS first_token_in_time,
    (status = 'error')::Bool AS failed, error_type, price_status, cost_usd
  FROM spans
  WHERE trace_id = {trace:String} AND price_status NOT IN ('not_applicable', 'nested')
  ORDER BY start_time`
const COST =
  'SELECT toString(cost_usd) AS cost FROM trace_summaries WHERE trace_id = {trace:String}'
// An insert reaches one table after the other.
const LANDED = `
  SELECT toUInt32(least(
    (SELECT count() FROM spans WHERE trace_id IN {traces:Array(String)}),
    (SELECT sum(spans) FROM trace_summaries WHERE trace_id IN {traces:Array(String)})
  )) AS n`

/** Starts both on given engines. */
export async function startSdkStack(options: TestStackOptions): Promise<SdkStack> {
  const stub = await startProviderStub()
  const stack = await startTestStack(options)
  const { clickhouse } = stack
  return {
    async run(script) {
      const { stdout } = await promisify(execFile)(process.execPath, [`${SCRIPTS}${script}.ts`], {
        timeout: SCRIPT_TIMEOUT_MS,
        env: {
          PROVIDER_URL: stub.url,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${stack.httpPort}`,
        },
      })
      const { traces, spans } = runSchema.parse(JSON.parse(stdout))
      await until(
        `${spans} spans of ${script}`,
        LANDING_DEADLINE_MS,
        () => clickhouse.query<{ n: number }>(LANDED, { traces: Object.values(traces) }),
        ([landed]) => landed?.n === spans,
      )
      const entries = Object.entries(traces).map(
        async ([name, trace]) => [name, await readTrace(clickhouse, trace)] as const,
      )
      return Object.fromEntries(await Promise.all(entries))
    },
    async stop() {
      await stack.stop()
      await stub.stop()
    },
  }
}

async function readTrace(clickhouse: ClickHouse, trace: string): Promise<TraceOfCalls> {
  const [total] = await clickhouse.query<{ cost: string }>(COST, { trace })
  return { calls: await clickhouse.query<Row>(CALLS, { trace }), cost: total?.cost ?? '' }
}

/** A trace of these calls and no other, each of which counts once. */
export function traceOf(...calls: readonly Row[]): TraceOfCalls {
  const picos = calls.reduce((sum, { cost_usd: cost }) => sum + picosOf(cost ?? '0'), 0n)
  const digits = picos.toString().padStart(13, '0')
  return { calls, cost: `${digits.slice(0, -12)}.${digits.slice(-12)}`.replace(/\.?0+$/, '') }
}

function picosOf(usd: string): bigint {
  const [whole = '', decimals = ''] = usd.split('.')
  return BigInt(whole + decimals.padEnd(12, '0'))
}
