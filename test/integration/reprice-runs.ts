import { renderParts } from '../../services/enrich/cost-parts.ts'
import { type ChildProcess, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Env } from '#runtime/config.ts'
import { parseConfig } from '../../services/enrich/config.ts'
import { createCallPricer, NESTED, type Price } from '../../services/enrich/price-call.ts'
import type { EnrichedSpan } from './enriched-spans.ts'

const FRONT_DOOR = fileURLToPath(new URL('../../services/enrich/reprice.ts', import.meta.url))

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A run of the command that may still go on. */
export interface Run {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts a run of re-pricing as a process of its own. */
export function startReprice(env: Env, flags: readonly string[]): Run {
  return startNode(env, [FRONT_DOOR, ...flags])
}

/** Starts Node on a file. */
export function startNode(env: Env, args: readonly string[]): Run {
  const child = spawn(process.execPath, [...args], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = (async () => {
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
        child.once('exit', (...how) => resolve(how))
      }),
    ])
    return { code, signal, stdout, stderr }
  })()
  return { child, ended }
}

/** Resolves when a run has said these words, or has ended. */
export function saying({ child }: Run, words: string): Promise<void> {
  let said = ''
  return new Promise((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes(words)) resolve()
    })
    child.once('exit', () => resolve())
  })
}

const outcomeSchema = z.object({
  job: z.string().nullable(),
  dry_run: z.boolean(),
  calls: z.number(),
  corrected: z.number(),
  old_usd: z.string(),
  new_usd: z.string(),
  difference_usd: z.string(),
  unpriced_before: z.number(),
  unpriced_after: z.number(),
  ambiguous: z.number(),
})
export type RunOutcome = z.output<typeof outcomeSchema>

/** Runs re-pricing to its end and gives its line of JSON. Throws with what it said if it failed. */
export async function reprice(env: Env, flags: readonly string[]): Promise<RunOutcome> {
  const { code, stdout, stderr } = await startReprice(env, [...flags, '--json']).ended
  if (code !== 0) throw new Error(`reprice ended with ${code}: ${stderr}`)
  return outcomeSchema.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''))
}

/** The spans as they must be once their calls cost what the prices of an environment say. */
export function repricedSpans(
  spans: readonly EnrichedSpan[],
  env: Env,
  isNested: (span: EnrichedSpan) => boolean = () => false,
): readonly EnrichedSpan[] {
  const priceCall = createCallPricer(parseConfig(env).prices)
  return spans.map((span) => {
    if (span.price_status === 'not_applicable') return span
    return isNested(span) ? withPrice(span, NESTED) : withPrice(span, priceCall(callOf(span)))
  })
}

function withPrice(span: EnrichedSpan, price: Price): EnrichedSpan {
  return {
    ...span,
    cost_pico_usd: price.costPicoUsd,
    price_status: price.status,
    price_model: price.model,
    price_flags: price.flags,
    cost_parts: renderParts(price.parts),
    landed_price_status: span.landed_price_status ?? span.price_status,
  }
}

function count(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}

function callOf(span: EnrichedSpan) {
  return {
    kind: span.kind,
    tenant: span.tenant,
    provider: span.provider,
    requestModel: span.request_model,
    responseModel: span.response_model,
    serviceTier: span.service_tier,
    startTimeMs: Number(span.start_time_unix_nano) / 1e6,
    usage: {
      input: count(span.input_tokens),
      output: count(span.output_tokens),
      cacheRead: count(span.cache_read_tokens),
      cacheWrite5m: count(span.cache_write_5m_tokens),
      cacheWrite1h: count(span.cache_write_1h_tokens),
      reasoning: count(span.reasoning_tokens),
      inputAudio: count(span.input_audio_tokens),
      outputAudio: count(span.output_audio_tokens),
      inputImage: null,
      outputImage: null,
      webSearches: null,
    },
    flags: span.flags,
  }
}
