import { logNormal, type Random } from './random.ts'

/** How fast a model answers, in the two phases of inference that Splitwise (ISCA 2024) describes. */
export interface LatencyModel {
  /** Network, queue and first step, whatever the prompt's length. */
  readonly baseMs: number
  /** Prefill: the prompt's tokens are worked on in parallel. */
  readonly prefillTokensPerSecond: number
  /** Decode: the answer's tokens come one after another. */
  readonly msPerOutputToken: number
}

/** What of a call decides its latency. */
export interface CallSize {
  readonly inputTokens: number
  /** Part of inputTokens that the provider had in its prompt cache. */
  readonly cacheReadTokens: number
  readonly outputTokens: number
}

/** When the first chunk came and when the call was over, in milliseconds from its start. */
export interface CallLatency {
  readonly firstChunkMs: number
  readonly durationMs: number
}

/** A cached token costs a tenth of the prefill of a fresh one. */
const cachedPrefillShare = 0.1
const prefillSigma = 0.25
const decodeSigma = 0.15

/**
 * The latency of one call: first chunk = (base + fresh input ÷ prefill rate) × noise, end = first
 * chunk + output × time per token × noise. The noise is log-normal with median 1.
 */
export function callLatency(model: LatencyModel, size: CallSize, random: Random): CallLatency {
  const freshTokens = size.inputTokens - size.cacheReadTokens * (1 - cachedPrefillShare)
  const prefillMs = (freshTokens / model.prefillTokensPerSecond) * 1000
  const firstChunkMs = (model.baseMs + prefillMs) * logNormal(random, prefillSigma)
  const decodeMs = size.outputTokens * model.msPerOutputToken * logNormal(random, decodeSigma)
  return { firstChunkMs, durationMs: firstChunkMs + decodeMs }
}

/** The latency of a step that does not depend on tokens: log-normal around its median. */
export function stepLatencyMs(medianMs: number, random: Random): number {
  return medianMs * logNormal(random, 0.4)
}
