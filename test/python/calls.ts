/** What the programs of examples/python ask the provider stub, and what Spanmeter must make of it. */

/** The columns of `spans` that are compared; 64-bit numbers and decimals are text. */
export interface Row {
  readonly kind: string
  readonly provider: string
  readonly request_model: string
  readonly response_model: string
  readonly streaming: boolean | null
  readonly input_tokens: string | null
  readonly output_tokens: string | null
  readonly cache_read_tokens: string | null
  readonly cache_write_5m_tokens: string | null
  readonly cache_write_1h_tokens: string | null
  readonly reasoning_tokens: string | null
  /** Whether the first token came after the stub's wait and before the end; null where nothing is told. */
  readonly first_token_in_time: boolean | null
  readonly failed: boolean
  readonly error_type: string
  readonly price_status: string
  readonly cost_usd: string | null
}

type Difference = Partial<Row>

const CALL: Row = {
  kind: 'llm',
  provider: 'openai',
  request_model: '',
  response_model: '',
  streaming: null,
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_5m_tokens: null,
  cache_write_1h_tokens: null,
  reasoning_tokens: null,
  first_token_in_time: null,
  failed: false,
  error_type: '',
  price_status: 'priced',
  cost_usd: null,
}

/** OpenAI, USD for a million tokens: 0.15 in, 0.075 cached, 0.6 out. */
export const chat = (difference: Difference = {}): Row => ({
  ...CALL,
  request_model: 'gpt-4o-mini',
  response_model: 'gpt-4o-mini-2024-07-18',
  input_tokens: '2006',
  output_tokens: '300',
  cache_read_tokens: '1920',
  // (2006 − 1920) × 0.15 + 1920 × 0.075 + 300 × 0.6 = 12.9 + 144 + 180 = 336.9 millionths.
  cost_usd: '0.0003369',
  ...difference,
})

/** 2 in, 0.5 cached, 8 out; reasoning is part of the output. */
export const reasoning = (difference: Difference = {}): Row => ({
  ...CALL,
  request_model: 'o3',
  response_model: 'o3-2025-04-16',
  input_tokens: '1000',
  output_tokens: '1500',
  reasoning_tokens: '1024',
  // 1000 × 2 + 1500 × 8 = 2000 + 12000 = 14000 millionths.
  cost_usd: '0.014',
  ...difference,
})

/** 0.25 in, 0.025 cached, 2 out. */
export const response = (difference: Difference = {}): Row => ({
  ...CALL,
  request_model: 'gpt-5-mini',
  response_model: 'gpt-5-mini-2025-08-07',
  input_tokens: '3000',
  output_tokens: '700',
  cache_read_tokens: '2048',
  reasoning_tokens: '512',
  // (3000 − 2048) × 0.25 + 2048 × 0.025 + 700 × 2 = 238 + 51.2 + 1400 = 1689.2 millionths.
  cost_usd: '0.0016892',
  ...difference,
})

/** 0.02 in. */
export const embedding = (difference: Difference = {}): Row => ({
  ...CALL,
  kind: 'embedding',
  request_model: 'text-embedding-3-small',
  response_model: 'text-embedding-3-small',
  input_tokens: '8',
  // 8 × 0.02 = 0.16 millionths.
  cost_usd: '0.00000016',
  ...difference,
})

/** A refused call has no usage, and a model that nobody has heard of no price. */
export const refused = (difference: Difference = {}): Row => ({
  ...CALL,
  request_model: 'error-429',
  failed: true,
  error_type: 'rate_limit',
  price_status: 'unpriced',
  ...difference,
})

/** Anthropic: 3 in, 0.3 read, 3.75 written for 5 minutes, 6 for an hour, 15 out. */
export const message = (difference: Difference = {}): Row => ({
  ...CALL,
  provider: 'anthropic',
  request_model: 'claude-sonnet-4-5',
  response_model: 'claude-sonnet-4-5-20250929',
  // The provider says 5: every instrumentation adds what was read from and written to the cache,
  // 5 + 128955 + 1253.
  input_tokens: '130213',
  output_tokens: '420',
  cache_read_tokens: '128955',
  cache_write_5m_tokens: '1000',
  cache_write_1h_tokens: '253',
  // 5 × 3 + 128955 × 0.3 + 1000 × 3.75 + 253 × 6 + 420 × 15
  // = 15 + 38686.5 + 3750 + 1518 + 6300 = 50269.5 millionths.
  cost_usd: '0.0502695',
  ...difference,
})

/** A message of an instrumentation that tells one figure for all writes: they count as the 5-minute kind. */
export const messageOfOneWrite = (difference: Difference = {}): Row =>
  message({
    cache_write_5m_tokens: '1253',
    cache_write_1h_tokens: null,
    // 5 × 3 + 128955 × 0.3 + 1253 × 3.75 + 420 × 15
    // = 15 + 38686.5 + 4698.75 + 6300 = 49700.25 millionths.
    cost_usd: '0.04970025',
    ...difference,
  })
