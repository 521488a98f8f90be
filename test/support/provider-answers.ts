/** What the stub of the providers answers, in the shapes that OpenAI and Anthropic document. */

/** Usage of an answer of OpenAI: `input` includes `cached`, and `output` includes `reasoning`. */
export interface OpenAiUsage {
  readonly answersAs: string
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
}

/** Usage of an answer of Anthropic: `input` includes neither what was read from nor written to a cache. */
export interface AnthropicUsage {
  readonly answersAs: string
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly output: number
}

/** Models of OpenAI that the stub knows, and what each request to them costs in tokens. */
export const OPENAI_MODELS: Readonly<Record<string, OpenAiUsage>> = {
  'gpt-4o-mini': {
    answersAs: 'gpt-4o-mini-2024-07-18',
    input: 2006,
    cached: 1920,
    output: 300,
    reasoning: 0,
  },
  o3: { answersAs: 'o3-2025-04-16', input: 1000, cached: 0, output: 1500, reasoning: 1024 },
  'gpt-5-mini': {
    answersAs: 'gpt-5-mini-2025-08-07',
    input: 3000,
    cached: 2048,
    output: 700,
    reasoning: 512,
  },
  'text-embedding-3-small': {
    answersAs: 'text-embedding-3-small',
    input: 8,
    cached: 0,
    output: 0,
    reasoning: 0,
  },
}

/** Models of Anthropic that the stub knows. */
export const ANTHROPIC_MODELS: Readonly<Record<string, AnthropicUsage>> = {
  'claude-sonnet-4-5': {
    answersAs: 'claude-sonnet-4-5-20250929',
    input: 5,
    cacheRead: 128_955,
    cacheWrite5m: 1000,
    cacheWrite1h: 253,
    output: 420,
  },
  // Less cached than not, so that no arithmetic tells whether the input includes it.
  'claude-haiku-4-5': {
    answersAs: 'claude-haiku-4-5-20251001',
    input: 4000,
    cacheRead: 1500,
    cacheWrite5m: 500,
    cacheWrite1h: 0,
    output: 100,
  },
}

/** A body of an answer, or of one event of a stream. */
export type Json = Readonly<Record<string, unknown>>

/** An event of a stream; those of OpenAI's chat have no name. */
export interface StreamEvent {
  readonly name?: string
  readonly data: Json
}

const PIECES = ['The way ', 'is straight ', 'on.']
const TEXT = PIECES.join('')
const CREATED = 1_760_000_000

function chatUsage({ input, cached, output, reasoning }: OpenAiUsage): Json {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

/** The answer of POST /v1/chat/completions. */
export function chatAnswer(usage: OpenAiUsage): Json {
  return chatChoice(usage, { content: TEXT }, 'stop')
}

/** Its answer where the model wants a tool called, without arguments. */
export function chatToolAnswer(usage: OpenAiUsage, name: string): Json {
  const call = { id: 'call_stub', type: 'function', function: { name, arguments: '{}' } }
  return chatChoice(usage, { content: null, tool_calls: [call] }, 'tool_calls')
}

function chatChoice(usage: OpenAiUsage, content: Json, finish: string): Json {
  const message = { role: 'assistant', refusal: null, annotations: [], ...content }
  return {
    ...chatHead(usage, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: chatUsage(usage),
  }
}

function chatHead({ answersAs }: OpenAiUsage, object: string): Json {
  return {
    id: 'chatcmpl-stub',
    object,
    created: CREATED,
    model: answersAs,
    service_tier: 'default',
    system_fingerprint: 'fp_stub',
  }
}

/** The events of a streamed chat; the usage comes in a last one, where it was asked for. */
export function chatEvents(usage: OpenAiUsage, includeUsage: boolean): readonly StreamEvent[] {
  const head = {
    ...chatHead(usage, 'chat.completion.chunk'),
    ...(includeUsage ? { usage: null } : {}),
  }
  const chunk = (delta: Json, finish: string | null): StreamEvent => ({
    data: { ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] },
  })
  return [
    chunk({ role: 'assistant', content: '', refusal: null }, null),
    ...PIECES.map((content) => chunk({ content }, null)),
    chunk({}, 'stop'),
    ...(includeUsage ? [{ data: { ...head, choices: [], usage: chatUsage(usage) } }] : []),
  ]
}

/** The answer of POST /v1/embeddings: in base64 where the client asks for it, as OpenAI's own does. */
export function embeddingsAnswer(usage: OpenAiUsage, count: number, isBase64: boolean): Json {
  const vector = [0.25, -0.5, 0.125, 1]
  const embedding = isBase64
    ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
    : vector
  return {
    object: 'list',
    model: usage.answersAs,
    data: Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: usage.input, total_tokens: usage.input },
  }
}

const TEXT_PART = { type: 'output_text', text: TEXT, annotations: [], logprobs: [] }
const MESSAGE = {
  id: 'msg_stub',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [TEXT_PART],
}

/** The answer of POST /v1/responses. */
export function responsesAnswer(usage: OpenAiUsage): Json {
  return {
    ...responseHead(usage, 'completed'),
    output: [MESSAGE],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: usage.reasoning },
      total_tokens: usage.input + usage.output,
    },
  }
}

function responseHead({ answersAs }: OpenAiUsage, status: string): Json {
  return {
    id: 'resp_stub',
    object: 'response',
    created_at: CREATED,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: answersAs,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: 'medium', summary: null },
    service_tier: 'default',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
  }
}

/** The events of a streamed response. */
export function responsesEvents(usage: OpenAiUsage): readonly StreamEvent[] {
  const began = { response: responseHead(usage, 'in_progress') }
  const item = { item_id: MESSAGE.id, output_index: 0 }
  const part = { ...item, content_index: 0 }
  const events: readonly (readonly [string, Json])[] = [
    ['response.created', began],
    ['response.in_progress', began],
    [
      'response.output_item.added',
      { output_index: 0, item: { ...MESSAGE, status: 'in_progress', content: [] } },
    ],
    ['response.content_part.added', { ...part, part: { ...TEXT_PART, text: '' } }],
    ...PIECES.map((delta): readonly [string, Json] => [
      'response.output_text.delta',
      { ...part, delta, logprobs: [] },
    ]),
    ['response.output_text.done', { ...part, text: TEXT, logprobs: [] }],
    ['response.content_part.done', { ...part, part: TEXT_PART }],
    ['response.output_item.done', { output_index: 0, item: MESSAGE }],
    ['response.completed', { response: responsesAnswer(usage) }],
  ]
  return events.map(([name, data], index) => ({
    name,
    data: { type: name, sequence_number: index, ...data },
  }))
}

function messageUsage(usage: AnthropicUsage): Json {
  return {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5m,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    },
    output_tokens: usage.output,
    service_tier: 'standard',
  }
}

/** The answer of POST /v1/messages. */
export function messageAnswer(usage: AnthropicUsage): Json {
  return {
    id: 'msg_stub',
    type: 'message',
    role: 'assistant',
    model: usage.answersAs,
    content: [{ type: 'text', text: TEXT }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: messageUsage(usage),
  }
}

/** The events of a streamed message: the input is counted in the first, the output in full in the last but one. */
export function messageEvents(usage: AnthropicUsage): readonly StreamEvent[] {
  const start = {
    ...messageAnswer(usage),
    content: [],
    stop_reason: null,
    usage: { ...messageUsage(usage), output_tokens: 1 },
  }
  const total = {
    input_tokens: usage.input,
    cache_creation_input_tokens: usage.cacheWrite5m + usage.cacheWrite1h,
    cache_read_input_tokens: usage.cacheRead,
    output_tokens: usage.output,
  }
  const events: readonly Json[] = [
    { type: 'message_start', message: start },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...PIECES.map((text) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text },
    })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: total,
    },
    { type: 'message_stop' },
  ]
  return events.map((data) => ({ name: String(data['type']), data }))
}
