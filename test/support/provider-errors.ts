import type { Json } from './provider-answers.ts'

/** A refusal of a provider. */
export interface ProviderError {
  readonly status: number
  readonly body: Json
}

/** Whose shapes an endpoint speaks. */
export type Vendor = 'openai' | 'anthropic'

/** What a model with a name that stands for a failure answers; unknown models are not found. */
export function providerError(vendor: Vendor, model: string): ProviderError {
  const { status, openai, anthropic } = ERRORS[model] ?? notFound(model)
  if (vendor === 'openai') return { status, body: { error: openai } }
  return { status, body: { type: 'error', error: anthropic, request_id: 'req_stub' } }
}

interface Refusal {
  readonly status: number
  readonly openai: Json
  readonly anthropic: Json
}

const ERRORS: Readonly<Record<string, Refusal>> = {
  'error-429': {
    status: 429,
    openai: {
      message: 'Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.',
      type: 'requests',
      param: null,
      code: 'rate_limit_exceeded',
    },
    anthropic: {
      type: 'rate_limit_error',
      message: 'Number of request tokens has exceeded your per-minute rate limit.',
    },
  },
  'error-context': {
    status: 400,
    openai: {
      message: "This model's maximum context length is 128000 tokens, but 130000 were requested.",
      type: 'invalid_request_error',
      param: 'messages',
      code: 'context_length_exceeded',
    },
    anthropic: {
      type: 'invalid_request_error',
      message: 'prompt is too long: 208310 tokens > 200000 maximum',
    },
  },
}

function notFound(model: string): Refusal {
  return {
    status: 404,
    openai: {
      message: `The model \`${model}\` does not exist or you do not have access to it.`,
      type: 'invalid_request_error',
      param: null,
      code: 'model_not_found',
    },
    anthropic: { type: 'not_found_error', message: `model: ${model}` },
  }
}
