import type { Attributes } from '@opentelemetry/api'
import { between, chance, hexDigits, pick, type Random } from '../services/cli/replay/random.ts'

/** Attributes of every span that the benchmark makes. */
export const ATTRIBUTES_PER_SPAN = 26

/** Share of spans whose call failed. */
const ERROR_RATE = 0.03

interface Model {
  readonly provider: string
  readonly request: string
  readonly response: string
}

/** Models that the price list knows, and one that it does not. */
const MODELS: readonly Model[] = [
  { provider: 'openai', request: 'gpt-4o', response: 'gpt-4o-2024-08-06' },
  { provider: 'openai', request: 'gpt-4o-mini', response: 'gpt-4o-mini-2024-07-18' },
  { provider: 'openai', request: 'gpt-4.1', response: 'gpt-4.1-2025-04-14' },
  { provider: 'anthropic', request: 'claude-sonnet-4-5', response: 'claude-sonnet-4-5-20250929' },
  { provider: 'anthropic', request: 'claude-3-5-haiku', response: 'claude-3-5-haiku-20241022' },
  { provider: 'gcp.gemini', request: 'gemini-2.5-flash', response: 'gemini-2.5-flash' },
  { provider: 'mistral_ai', request: 'mistral-large', response: 'mistral-large-2411' },
  { provider: 'self_hosted', request: 'house-llama', response: 'house-llama-q8' },
]
const TENANTS = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'stark', 'wayne', 'tyrell']
const FEATURES = ['chat', 'search', 'summary', 'triage', 'code']
const TEAMS = ['support', 'docs', 'growth', 'platform']
const TIERS = ['free', 'pro', 'team']
const ROUTES = ['/chat', '/ask', '/code', '/triage']
const ERRORS = ['timeout', 'rate_limit_exceeded', '500', 'context_length_exceeded']
const USERS_PER_TENANT = 400

/** What all spans of a trace have in common. */
export interface Caller {
  readonly tenant: string
  readonly user: string
  readonly tier: string
  readonly team: string
  readonly feature: string
  readonly route: string
  readonly session: string
  readonly request: string
  readonly variant: string
}

/** An LLM call of the benchmark: what its span says. */
export interface Call {
  readonly model: Model
  readonly durationMs: number
  /** Undefined for a call that went well. */
  readonly errorType: string | undefined
  /** Just ATTRIBUTES_PER_SPAN of them, whatever became of the call. */
  readonly attributes: Attributes
}

/** Who sends a trace. */
export function makeCaller(random: Random): Caller {
  const tenant = pick(random, TENANTS)
  return {
    tenant,
    user: `u${between(random, 1, USERS_PER_TENANT)}`,
    tier: pick(random, TIERS),
    team: pick(random, TEAMS),
    feature: pick(random, FEATURES),
    route: pick(random, ROUTES),
    session: hexDigits(random, 8),
    request: hexDigits(random, 8),
    variant: pick(random, ['a', 'b']),
  }
}

/** One LLM call of a caller, without prompt and completion. */
export function makeCall(random: Random, caller: Caller): Call {
  const model = pick(random, MODELS)
  const errorType = chance(random, ERROR_RATE) ? pick(random, ERRORS) : undefined
  return {
    model,
    durationMs: between(random, 150, 9_000),
    errorType,
    attributes: { ...callAttributes(random, model, errorType), ...callerAttributes(caller) },
  }
}

function callAttributes(
  random: Random,
  { provider, request, response }: Model,
  errorType: string | undefined,
): Attributes {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.system': provider,
    'gen_ai.request.model': request,
    'gen_ai.response.model': response,
    'gen_ai.usage.input_tokens': between(random, 40, 6_000),
    'gen_ai.usage.output_tokens': errorType === undefined ? between(random, 5, 900) : 0,
    ...(errorType === undefined ? { finish: 'stop' } : { 'error.type': errorType }),
    cached: chance(random, 0.3),
    retry: chance(random, 0.05) ? 1 : 0,
    queue_ms: between(random, 0, 120),
  }
}

function callerAttributes(caller: Caller): Attributes {
  return {
    tenant: caller.tenant,
    'user.id': caller.user,
    'user.tier': caller.tier,
    team: caller.team,
    feature: caller.feature,
    'http.route': caller.route,
    'session.id': caller.session,
    request_id: caller.request,
    'prompt.id': caller.feature,
    'prompt.version': '4',
    experiment: 'tone',
    variant: caller.variant,
    domain: 'eu',
    cost_centre: 'cc42',
    region: 'eu-1',
    lang: 'en',
  }
}
