import type { PriceCorrection } from '#schemas/items.ts'
import { renderParts } from '../cost-parts.ts'
import type { Call, Price } from '../price-call.ts'

/** A model call as queries/reprice_calls.sql gives it, with what it costs now. */
export interface StoredCall extends StoredUsage, StoredPrice {
  /** Tells calls apart; two that share it are of one span, which was sent twice. */
  readonly key: string
  readonly trace_id: string
  readonly span_id: string
  readonly tenant: string
  readonly start_time_unix_nano: string
  readonly kind: string
  readonly service: string
  readonly provider: string
  readonly request_model: string
  readonly response_model: string
  readonly operation: string
  readonly endpoint: string
  readonly feature: string
  readonly environment: string
  readonly team: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly user: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly error_type: string
  readonly service_tier: string
  readonly flags: readonly string[]
  readonly reported_cost_pico_usd: string | null
}

interface StoredUsage {
  readonly input_tokens: string | null
  readonly output_tokens: string | null
  readonly cache_read_tokens: string | null
  readonly cache_write_5m_tokens: string | null
  readonly cache_write_1h_tokens: string | null
  readonly reasoning_tokens: string | null
  readonly input_audio_tokens: string | null
  readonly output_audio_tokens: string | null
  readonly input_image_tokens: string | null
  readonly output_image_tokens: string | null
  readonly web_searches: string | null
}

interface StoredPrice {
  readonly cost_pico_usd: string | null
  readonly price_status: string
  readonly price_version: string
  readonly price_model: string
  readonly cost_parts: string
}

const NANOS_PER_MS = 1_000_000

/** A stored call as the pricer takes it. */
export function toCall(stored: StoredCall): Call {
  return {
    kind: stored.kind,
    tenant: stored.tenant,
    provider: stored.provider,
    requestModel: stored.request_model,
    responseModel: stored.response_model,
    serviceTier: stored.service_tier,
    // As enrich reads it, so that both price a call at the same time to the last bit.
    startTimeMs: Number(stored.start_time_unix_nano) / NANOS_PER_MS,
    usage: {
      input: toNumber(stored.input_tokens),
      output: toNumber(stored.output_tokens),
      cacheRead: toNumber(stored.cache_read_tokens),
      cacheWrite5m: toNumber(stored.cache_write_5m_tokens),
      cacheWrite1h: toNumber(stored.cache_write_1h_tokens),
      reasoning: toNumber(stored.reasoning_tokens),
      inputAudio: toNumber(stored.input_audio_tokens),
      outputAudio: toNumber(stored.output_audio_tokens),
      inputImage: toNumber(stored.input_image_tokens),
      outputImage: toNumber(stored.output_image_tokens),
      webSearches: toNumber(stored.web_searches),
    },
    flags: stored.flags,
  }
}

/**
 * Whether a call costs what it did, and for the same reasons. The version of the list and remarks on
 * the price may differ: they change no bill.
 */
export function isSamePrice(stored: StoredCall, price: Price): boolean {
  return (
    stored.price_status === price.status &&
    toBigint(stored.cost_pico_usd) === price.costPicoUsd &&
    stored.price_model === price.model &&
    stored.cost_parts === renderParts(price.parts)
  )
}

/** Which run corrects, and when: later than every run before. */
export interface Job {
  readonly id: string
  /** Nanoseconds since the epoch. */
  readonly time: bigint
}

/** What is to be written down of a call whose price is another now. */
export function correctionOf(stored: StoredCall, price: Price, job: Job): PriceCorrection {
  return {
    ...placeOf(stored),
    input_tokens: toBigint(stored.input_tokens),
    output_tokens: toBigint(stored.output_tokens),
    cache_read_tokens: toBigint(stored.cache_read_tokens),
    cache_write_5m_tokens: toBigint(stored.cache_write_5m_tokens),
    cache_write_1h_tokens: toBigint(stored.cache_write_1h_tokens),
    reasoning_tokens: toBigint(stored.reasoning_tokens),
    input_audio_tokens: toBigint(stored.input_audio_tokens),
    output_audio_tokens: toBigint(stored.output_audio_tokens),
    reported_cost_pico_usd: toBigint(stored.reported_cost_pico_usd),
    old_cost_pico_usd: toBigint(stored.cost_pico_usd),
    old_price_status: stored.price_status,
    old_price_version: stored.price_version,
    old_price_model: stored.price_model,
    cost_pico_usd: price.costPicoUsd,
    price_status: price.status,
    price_version: price.version,
    price_model: price.model,
    price_flags: price.flags,
    cost_parts: renderParts(price.parts),
    job: job.id,
    corrected_time_unix_nano: job.time,
  }
}

function placeOf(stored: StoredCall) {
  return {
    trace_id: stored.trace_id,
    span_id: stored.span_id,
    tenant: stored.tenant,
    start_time_unix_nano: BigInt(stored.start_time_unix_nano),
    kind: stored.kind,
    service: stored.service,
    provider: stored.provider,
    request_model: stored.request_model,
    response_model: stored.response_model,
    operation: stored.operation,
    endpoint: stored.endpoint,
    feature: stored.feature,
    environment: stored.environment,
    team: stored.team,
    cost_centre: stored.cost_centre,
    user_tier: stored.user_tier,
    user: stored.user,
    prompt_id: stored.prompt_id,
    prompt_version: stored.prompt_version,
    error_type: stored.error_type,
  }
}

function toNumber(text: string | null): number | null {
  return text === null ? null : Number(text)
}

export function toBigint(text: string | null): bigint | null {
  return text === null ? null : BigInt(text)
}
