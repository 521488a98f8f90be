import { createHash } from 'node:crypto'
import { containerFile } from '#runtime/container-file.ts'
import { evaluations, enrichedSpans } from '#schemas/topics.ts'

/** Fields of an enriched span that a test gives; Avro's defaults fill the others. */
export interface TestSpan {
  readonly trace_id: string
  readonly span_id: string
  readonly parent_span_id: string
  readonly start_time_unix_nano: bigint
  readonly duration_nano: bigint
  readonly tenant: string
  readonly name: string
  readonly kind: string
  readonly [field: string]: unknown
}

/** Ids of the right length from any text. */
export const traceIdOf = (name: string): string => hash(name).slice(0, 32)
export const spanIdOf = (name: string): string => hash(name).slice(0, 16)

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * A span of a trace by names and milliseconds from `epochMs`: `parent` is the name of a span of the
 * trace, or of none that is there.
 */
export function spanOf(
  epochMs: number,
  trace: string,
  [name, parent, fromMs, toMs]: readonly [string, string, number, number],
  fields: Readonly<Record<string, unknown>> = {},
): TestSpan {
  return {
    trace_id: traceIdOf(trace),
    span_id: spanIdOf(`${trace}/${name}`),
    parent_span_id: parent === '' ? '' : spanIdOf(`${trace}/${parent}`),
    start_time_unix_nano: BigInt(epochMs + fromMs) * 1_000_000n,
    duration_nano: BigInt(toMs - fromMs) * 1_000_000n,
    tenant: 'acme',
    name,
    kind: 'other',
    price_status: 'not_applicable',
    received_time_unix_nano: BigInt(epochMs) * 1_000_000n,
    ...fields,
  }
}

/** The spans as sink posts them. */
export function testSpansFile(spans: readonly TestSpan[]): readonly Buffer[] {
  return containerFile(enrichedSpans.codec, [
    enrichedSpans.codec.encode(spans.map((span) => ({ ...span }))),
  ])
}

/** A score as a test gives it. */
export interface TestScore {
  readonly trace_id?: string
  readonly span_id?: string
  readonly response_id?: string
  readonly request_id?: string
  readonly evaluator: string
  readonly score: number | null
  readonly label?: string
  readonly time_unix_nano: bigint
}

/** The scores as sink posts them. */
export function testScoresFile(scores: readonly TestScore[]): readonly Buffer[] {
  const items = scores.map((score, index) => ({
    ...EMPTY_SCORE,
    evaluation_id: `${index}`,
    ...score,
  }))
  return containerFile(evaluations.codec, [evaluations.codec.encode(items)])
}

const EMPTY_SCORE = {
  trace_id: '',
  span_id: '',
  evaluator_version: '',
  dimension: '',
  label: '',
  explanation: '',
  response_id: '',
  tenant: '',
  team: '',
  feature: '',
  environment: '',
  cost_centre: '',
  user_tier: '',
  user: '',
  session: '',
  request_id: '',
  service: '',
  provider: '',
  model: '',
  prompt_id: '',
  prompt_version: '',
  experiment: '',
  variant: '',
  domain: '',
  use_case: '',
  origin: '',
  received_time_unix_nano: 0n,
} as const
