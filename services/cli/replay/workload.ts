import type { EvaluatorName } from './features.ts'
import type { LatencyModel } from './latency.ts'

/** A model of the mix, as its provider serves it. docs/workload.md shows these tables. */
export interface ModelProfile {
  readonly provider: string
  readonly model: string
  /** The name that the provider answers with; prices go by it. */
  readonly responseModel: string
  readonly weight: number
  readonly serverAddress: string
  readonly latency: LatencyModel
  /** The provider's own words for why an answer ended. */
  readonly finish: { readonly stop: string; readonly length: string; readonly tools: string }
  /** Share of calls whose long prompts are partly read from the provider's cache. */
  readonly cacheShare: number
  /** Share of calls that think before they answer. */
  readonly reasoningShare: number
  /** What its answers score above or below what a feature's answers score on average. */
  readonly scoreOffset: number
}

const openai = {
  provider: 'openai',
  serverAddress: 'api.openai.com',
  finish: { stop: 'stop', length: 'length', tools: 'tool_calls' },
  cacheShare: 0.4,
  reasoningShare: 0,
} as const

const anthropic = {
  provider: 'anthropic',
  serverAddress: 'api.anthropic.com',
  finish: { stop: 'end_turn', length: 'max_tokens', tools: 'tool_use' },
  cacheShare: 0.5,
  reasoningShare: 0,
} as const

/** The models and their shares. The speeds are plausible orders of magnitude, not measurements. */
export const models: readonly ModelProfile[] = [
  {
    ...openai,
    model: 'gpt-4o-mini',
    responseModel: 'gpt-4o-mini-2024-07-18',
    weight: 0.3,
    latency: { baseMs: 250, prefillTokensPerSecond: 12_000, msPerOutputToken: 9 },
    scoreOffset: -0.03,
  },
  {
    ...openai,
    model: 'gpt-4o',
    responseModel: 'gpt-4o-2024-08-06',
    weight: 0.2,
    latency: { baseMs: 320, prefillTokensPerSecond: 8000, msPerOutputToken: 13 },
    scoreOffset: 0.01,
  },
  {
    ...openai,
    model: 'gpt-4.1',
    responseModel: 'gpt-4.1-2025-04-14',
    weight: 0.15,
    latency: { baseMs: 350, prefillTokensPerSecond: 7500, msPerOutputToken: 14 },
    scoreOffset: 0.02,
  },
  {
    ...anthropic,
    model: 'claude-haiku-4-5',
    responseModel: 'claude-haiku-4-5-20251001',
    weight: 0.12,
    latency: { baseMs: 300, prefillTokensPerSecond: 10_000, msPerOutputToken: 8 },
    scoreOffset: 0,
  },
  {
    ...anthropic,
    model: 'claude-sonnet-4-5',
    responseModel: 'claude-sonnet-4-5-20250929',
    weight: 0.12,
    latency: { baseMs: 550, prefillTokensPerSecond: 6000, msPerOutputToken: 17 },
    scoreOffset: 0.03,
  },
  {
    provider: 'gcp.gemini',
    model: 'gemini-2.5-flash',
    responseModel: 'gemini-2.5-flash',
    weight: 0.1,
    serverAddress: 'generativelanguage.googleapis.com',
    latency: { baseMs: 350, prefillTokensPerSecond: 15_000, msPerOutputToken: 5 },
    finish: { stop: 'STOP', length: 'MAX_TOKENS', tools: 'STOP' },
    cacheShare: 0.3,
    reasoningShare: 0.5,
    scoreOffset: -0.01,
  },
  {
    // No public price exists for this one, so that "unpriced" shows.
    provider: 'internal',
    model: 'acme-private-7b',
    responseModel: 'acme-private-7b',
    weight: 0.01,
    serverAddress: 'llm.acme.internal',
    latency: { baseMs: 80, prefillTokensPerSecond: 4000, msPerOutputToken: 22 },
    finish: { stop: 'stop', length: 'length', tools: 'tool_calls' },
    cacheShare: 0,
    reasoningShare: 0,
    scoreOffset: -0.1,
  },
]

/** A way in which calls fail. */
export interface ErrorKind {
  /** The span's error.type. */
  readonly type: string
  readonly share: number
  /** What the provider answered; undefined where no answer came. */
  readonly status: number | undefined
  /** What the caller of our own service got. */
  readonly serverStatus: number
  readonly message: string
  /** Median time to failure, or how far the call ran. */
  readonly fails: { readonly afterMs: number } | 'before first chunk' | 'midway'
}

/** Of all calls, 2 % fail, more in an outage. A failed call reports no usage: no provider would. */
export const errorKinds: readonly ErrorKind[] = [
  {
    type: 'rate_limit_exceeded',
    share: 0.006,
    status: 429,
    serverStatus: 503,
    message: 'Rate limit reached for requests',
    fails: { afterMs: 60 },
  },
  {
    type: 'timeout',
    share: 0.004,
    status: undefined,
    serverStatus: 504,
    message: 'The request timed out after 30 s',
    fails: { afterMs: 30_000 },
  },
  {
    type: 'server_error',
    share: 0.003,
    status: 500,
    serverStatus: 502,
    message: 'The server had an error while processing the request',
    fails: { afterMs: 1500 },
  },
  {
    type: 'context_length_exceeded',
    share: 0.002,
    status: 400,
    serverStatus: 400,
    message: 'Prompt and max_tokens exceed the context window of the model',
    fails: { afterMs: 90 },
  },
  {
    type: 'content_filter',
    share: 0.002,
    status: 400,
    serverStatus: 400,
    message: 'The prompt was refused by the safety filter',
    fails: 'before first chunk',
  },
  {
    type: 'cancelled',
    share: 0.002,
    status: undefined,
    serverStatus: 499,
    message: 'The user closed the stream',
    fails: 'midway',
  },
  {
    type: 'authentication_error',
    share: 0.001,
    status: 401,
    serverStatus: 500,
    message: 'The API key is not valid',
    fails: { afterMs: 40 },
  },
]

/** How answers are scored, by evaluators that look at a share of the successful calls. */
export const scoring = {
  share: 0.2,
  sigma: 0.12,
  /** A score below this is labelled as failed, and explained. */
  passFrom: 0.7,
  /** A call with a score below this tells of it by an event of its own. */
  lowBelow: 0.5,
} as const

/** What evaluators say of an answer that fails. */
export const explanations: Readonly<Record<EvaluatorName, string>> = {
  relevance: 'The answer does not address what was asked.',
  factuality: 'The sources do not support a claim.',
}

/** More than any context window of the mix, so that this request really cannot fit. */
export const overlongMaxTokens = 2_000_000

/** The tenants, from the largest to the smallest. */
export const tenants = [
  { name: 'globex', weight: 0.3 },
  { name: 'initech', weight: 0.2 },
  { name: 'umbrella', weight: 0.14 },
  { name: 'hooli', weight: 0.12 },
  { name: 'stark', weight: 0.09 },
  { name: 'wayne', weight: 0.07 },
  { name: 'wonka', weight: 0.05 },
  { name: 'tyrell', weight: 0.03 },
] as const

/** Each tenant has 50 users; the one of rank r sends 1/r of what the first sends (Zipf's law). */
export const userRanks = Array.from({ length: 50 }, (_, index) => ({
  rank: index + 1,
  weight: 1 / (index + 1),
}))

/** A user belongs to one tier for good. */
export const tiers = [
  { name: 'free', weight: 0.6 },
  { name: 'pro', weight: 0.3 },
  { name: 'enterprise', weight: 0.1 },
] as const

/** The environments, which are a property of the sending service. */
export const environments = [
  { name: 'production', weight: 0.92 },
  { name: 'staging', weight: 0.08 },
] as const

/** Why the router chose its model. */
export const routingReasons = [
  { name: 'lowest_cost', weight: 0.4 },
  { name: 'quality_tier', weight: 0.25 },
  { name: 'latency_target', weight: 0.2 },
  { name: 'tenant_policy', weight: 0.15 },
] as const

/** How many tools a call asks for, where it asks for any. */
export const toolCounts = [
  { count: 1, weight: 0.5 },
  { count: 2, weight: 0.3 },
  { count: 3, weight: 0.2 },
] as const

/** Shares and medians that hold for every model and feature. */
export const shares = {
  streamed: 0.8,
  stoppedByLength: 0.01,
  toolFails: 0.01,
  inExperiment: 0.5,
} as const

/** The running experiment: half of the users of a feature, split evenly by user. */
export const experiment = { name: 'support-tone', feature: 'support-chat', treatmentVersion: '4' }

/** The service that retrieves and reranks documents for the others. */
export const retrieverService = 'retriever'
