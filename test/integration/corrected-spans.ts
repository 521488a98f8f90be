import { parseParts } from '../support/cost-parts.ts'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { containerFile } from '#runtime/container-file.ts'
import { pricedAt, UNPRICED, type EnrichedSpan } from './enriched-spans.ts'

/** Every status of a model call. */
export const STATUSES = ['priced', ...UNPRICED] as const

/** A new price of a span, as a run of re-pricing finds it. */
export interface Change {
  readonly status: string
  /** Of a priced one only. */
  readonly cost: bigint
  readonly job?: string
}

/** The correction that takes a span from the price it has to another. */
export function correctionOf(span: EnrichedSpan, change: Change): PriceCorrection {
  return {
    ...span,
    ...pricedAt(span.request_model, change.status, change.cost),
    old_cost_pico_usd: span.cost_pico_usd,
    old_price_status: span.price_status,
    old_price_version: span.price_version,
    old_price_model: span.price_model,
    price_version: 'list@2',
    job: change.job ?? 'run-1',
    corrected_time_unix_nano: span.received_time_unix_nano + 1_000n,
  }
}

/** The spans with the prices that corrections give them, the last one of a span winning. */
export function applyCorrections(
  spans: readonly EnrichedSpan[],
  corrections: readonly PriceCorrection[],
): readonly EnrichedSpan[] {
  const newest = new Map(corrections.map((correction) => [keyOf(correction), correction]))
  return spans.map((span) => {
    const correction = newest.get(keyOf(span))
    if (correction === undefined) return span
    const { cost_pico_usd, price_status, price_version, price_model } = correction
    const { price_flags, cost_parts } = correction
    const price = { cost_pico_usd, price_status, price_version, price_model }
    const landed_price_status = span.landed_price_status ?? span.price_status
    return { ...span, ...price, price_flags, cost_parts, landed_price_status }
  })
}

const keyOf = ({ trace_id, span_id }: Pick<EnrichedSpan, 'trace_id' | 'span_id'>) =>
  `${trace_id}/${span_id}`

/** Corrections as sink posts them. */
export function correctionsFile(corrections: readonly PriceCorrection[]): readonly Buffer[] {
  return containerFile(priceCorrections.codec, [priceCorrections.codec.encode(corrections)])
}

/** Whether the span is a model call, which alone has prices to correct. */
export const isCall = (span: EnrichedSpan) => span.price_status !== 'not_applicable'

/** Corrections of every call from its price to each status in turn. */
export function correctAll(
  spans: readonly EnrichedSpan[],
  job: string,
): readonly PriceCorrection[] {
  return spans.filter(isCall).map((span, index) =>
    correctionOf(span, {
      status: STATUSES[index % 5] ?? 'priced',
      cost: BigInt(index) * 7n,
      job,
    }),
  )
}

/** What price_corrections must hold: a line for each, with who, from what and to what. */
export const auditOf = (corrections: readonly PriceCorrection[]) =>
  corrections
    .map((c) =>
      [c.job, c.span_id, c.old_price_status, c.old_cost_pico_usd, c.price_status, c.cost_pico_usd]
        .concat([c.price_version, c.price_flags.join(), BigInt(parseParts(c.cost_parts).length)])
        .join('|'),
    )
    .sort()

const pico = (name: string) =>
  `ifNull(toString(toInt128(toDecimal128(${name}, 12) * 1000000000000)), '')`

/** What price_corrections holds, in the same lines. */
export async function readAudit(clickhouse: ClickHouse): Promise<readonly string[]> {
  const rows = await clickhouse.query<{ line: string }>(
    `SELECT concatWithSeparator('|', job, span_id, old_price_status, ${pico('old_cost_usd')},
       price_status, ${pico('cost_usd')}, price_version, arrayStringConcat(price_flags, ','),
       toString(length(cost_parts))) AS line FROM price_corrections`,
  )
  return rows.map(({ line }) => line).sort()
}
