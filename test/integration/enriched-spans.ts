import { containerFile } from '#runtime/container-file.ts'
import type { DeadLetter } from '#schemas/items.ts'
import { deadLetters, enrichedSpans } from '#schemas/topics.ts'
import { renderParts } from '../../services/enrich/cost-parts.ts'

/** The fields of an enriched span that tests compare; Avro's defaults fill the others. */
export interface EnrichedSpan {
  readonly tenant: string
  readonly team: string
  readonly feature: string
  readonly environment: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly kind: string
  readonly start_time_unix_nano: bigint
  readonly duration_nano: bigint
  readonly service: string
  readonly provider: string
  readonly request_model: string
  readonly response_model: string
  readonly operation: string
  readonly endpoint: string
  readonly status: string
  readonly error_type: string
  readonly input_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly cache_read_tokens: bigint | null
  readonly cache_write_5m_tokens: bigint | null
  readonly cache_write_1h_tokens: bigint | null
  readonly reasoning_tokens: bigint | null
  readonly input_audio_tokens: bigint | null
  readonly output_audio_tokens: bigint | null
  readonly service_tier: string
  readonly reported_cost_pico_usd: bigint | null
  readonly time_to_first_token_nano: bigint | null
  readonly flags: readonly string[]
  readonly trace_id: string
  readonly span_id: string
  readonly parent_span_id: string
  readonly user: string
  readonly session: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly name: string
  readonly received_time_unix_nano: bigint
  readonly attributes: Readonly<Record<string, string>>
  readonly events: readonly {
    readonly time_unix_nano: bigint
    readonly name: string
    readonly attributes: Readonly<Record<string, string>>
  }[]
  readonly prompt: string
  readonly completion: string
  readonly content?: Readonly<Record<string, string>>
  readonly cost_pico_usd: bigint | null
  readonly price_status: string
  readonly price_version: string
  readonly price_model: string
  readonly price_flags: readonly string[]
  readonly cost_parts: string
  readonly content_kept: boolean
  /** The status it landed with, of a span whose price has been corrected since. */
  readonly landed_price_status?: string
}

export interface SpansOptions {
  readonly seed: number
  readonly count: number
  readonly fromNano: bigint
  readonly spreadSeconds: number
}

/** Spans of traces of about four, in every mix of kind, error, price and content; the same for a seed. */
export function makeSpans(options: SpansOptions): readonly EnrichedSpan[] {
  const random = createRandom(options.seed)
  let left = 0
  let trace = { id: '', root: '', tenant: '', user: '', feature: '' }
  return Array.from({ length: options.count }, (_, index) => {
    const isRoot = left === 0
    left = isRoot ? random.below(6) : left - 1
    const spanId = hex(16, options.seed, index)
    if (isRoot) {
      trace = {
        id: hex(32, options.seed, index),
        root: spanId,
        tenant: random.pick(['acme', 'globex', 'initech']),
        user: `user-${random.below(40)}`,
        feature: random.pick(['chat', 'search']),
      }
    }
    return makeSpan(options, random, { ...trace, spanId, isRoot })
  })
}

interface Place {
  readonly id: string
  readonly root: string
  readonly tenant: string
  readonly user: string
  readonly feature: string
  readonly spanId: string
  readonly isRoot: boolean
}

function makeSpan(options: SpansOptions, random: Random, place: Place): EnrichedSpan {
  const kind = random.pick(['llm', 'llm', 'llm', 'embedding', 'tool', 'agent'])
  const isModel = kind === 'llm' || kind === 'embedding'
  const some = (max: number) => (random.below(3) === 0 ? null : BigInt(random.below(max)))
  const model = isModel ? random.pick(['gpt-4o', 'claude-3-5-sonnet']) : ''
  const isError = random.below(8) === 0
  const start = options.fromNano + BigInt(random.below(options.spreadSeconds * 1_000)) * 1_000_000n
  const duration = BigInt(1 + random.below(20_000_000)) * 1_000n
  const isKept = random.below(4) === 0
  return {
    ...modelUse(kind, some),
    ...(isModel ? priceOf(model, random) : { ...NO_PRICE, reported_cost_pico_usd: null }),
    service_tier: isModel ? 'default' : '',
    flags: random.below(9) === 0 ? ['cache_exceeds_input'] : [],
    ...tagsOf(place.tenant, random),
    tenant: place.tenant,
    feature: place.feature,
    kind,
    start_time_unix_nano: start,
    duration_nano: duration,
    service: random.pick(['api', 'worker']),
    provider: isModel ? 'openai' : '',
    request_model: model,
    response_model: model === 'gpt-4o' && random.below(2) === 0 ? 'gpt-4o-2024-08-06' : '',
    operation: isModel ? 'chat' : '',
    endpoint: `/v1/${place.feature}`,
    status: isError ? 'error' : 'ok',
    error_type: isError ? random.pick(['rate_limit', 'timeout', '_OTHER']) : '',
    trace_id: place.id,
    span_id: place.spanId,
    parent_span_id: place.isRoot ? '' : place.root,
    user: place.user,
    session: `session-${place.user}`,
    prompt_id: 'answer',
    prompt_version: random.pick(['v1', 'v2']),
    name: place.isRoot ? `root ${place.feature}` : kind,
    received_time_unix_nano: start + duration,
    attributes: { 'server.address': 'api.example.com' },
    events: isError ? [{ time_unix_nano: start, name: 'exception', attributes: { a: 'b' } }] : [],
    prompt: isKept ? 'What is the way?' : '',
    completion: isKept && random.below(2) === 0 ? 'Straight on.' : '',
    content_kept: isKept,
  }
}

const NO_PRICE = {
  cost_pico_usd: null,
  price_status: 'not_applicable',
  price_version: '',
  price_model: '',
  price_flags: [],
  cost_parts: '',
}

/** A price of any status, and what was reported, which goes with any of them. */
function priceOf(model: string, random: Random) {
  const status = random.pick(['priced', 'priced', 'priced', ...UNPRICED])
  const cost = BigInt(random.below(1_000_000_000)) * 1_003n
  const reported = random.below(2) === 0 ? cost + BigInt(random.below(1_000)) : null
  return { ...pricedAt(model, status, cost), reported_cost_pico_usd: reported }
}

/** Every status of a model call without a cost. */
export const UNPRICED = ['unpriced', 'no_usage', 'invalid_usage', 'nested'] as const

/** What a span says of its price: a cost and its parts where the status is priced, else none. */
export function pricedAt(model: string, status: string, cost: bigint) {
  if (status !== 'priced') return { ...NO_PRICE, price_status: status, price_version: 'list@1' }
  const parts = [
    { part: 'input', units: 3n, unit_price: '0.5', cost_pico_usd: cost / 3n },
    { part: 'output', units: 2n, unit_price: '1.25', cost_pico_usd: cost - cost / 3n },
  ]
  return {
    cost_pico_usd: cost,
    price_status: status,
    price_version: 'list@1',
    price_model: `openai/${model}`,
    price_flags: model === 'gpt-4o' ? [] : ['sibling_model'],
    cost_parts: renderParts(parts),
  }
}

function tagsOf(tenant: string, random: Random) {
  return {
    team: `team-${tenant}`,
    environment: random.pick(['production', 'staging']),
    cost_centre: 'cc-1',
    user_tier: random.pick(['free', 'pro']),
  }
}

function modelUse(kind: string, some: (max: number) => bigint | null) {
  // Agents repeat the usage of the calls below them.
  const ofModel = (max: number) => (kind === 'llm' || kind === 'agent' ? some(max) : null)
  return {
    input_tokens: kind === 'embedding' ? 7n : ofModel(4_000),
    output_tokens: ofModel(1_000),
    cache_read_tokens: ofModel(500),
    cache_write_5m_tokens: ofModel(300),
    cache_write_1h_tokens: ofModel(200),
    reasoning_tokens: ofModel(100),
    input_audio_tokens: ofModel(50),
    output_audio_tokens: ofModel(40),
    time_to_first_token_nano: ofModel(2_000_000_000),
  }
}

/** The spans as sink posts them. */
export function spansFile(spans: readonly EnrichedSpan[]): readonly Buffer[] {
  const batch = enrichedSpans.codec.encode(spans.map((span) => ({ ...span })))
  return containerFile(enrichedSpans.codec, [batch])
}

/** Dead letters as sink posts them. */
export function deadLettersFile(letters: readonly DeadLetter[]): readonly Buffer[] {
  return containerFile(deadLetters.codec, [deadLetters.codec.encode(letters)])
}

interface Random {
  below(limit: number): number
  pick<T>(values: readonly [T, ...T[]]): T
}

/** Numbers that look random and are the same for a seed (Marsaglia's xorshift, 32 bits). */
function createRandom(seed: number): Random {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  const below = (limit: number): number => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % limit
  }
  return { below, pick: (values) => values[below(values.length)] ?? values[0] }
}

function hex(digits: number, seed: number, index: number): string {
  return (BigInt(seed) * 1_000_000_007n + BigInt(index) + 1n).toString(16).padStart(digits, '0')
}
