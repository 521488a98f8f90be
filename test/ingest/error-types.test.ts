import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outage } from '../../services/cli/replay/incidents.ts'
import { errorKinds } from '../../services/cli/replay/workload.ts'
import {
  type ErrorEvidence,
  loadErrorTypes,
  parseErrorTypes,
} from '../../services/ingest/error-types.ts'

const SEED = { seed: 20_260_105 }
const TYPES = [
  'rate_limit',
  'context_overflow',
  'timeout',
  'safety_filter',
  'authentication',
  'provider_error',
  'cancelled',
  'other',
]
const errors = loadErrorTypes()
const loadedAnew = loadErrorTypes()

/** Nothing is told but what a row says. */
const evidence = (told: Partial<ErrorEvidence>): ErrorEvidence => ({
  errorType: '',
  httpStatus: undefined,
  codes: [],
  message: '',
  ...told,
})
const classify = (told: Partial<ErrorEvidence>) => errors.classify(evidence(told))

/** Codes and classes that say enough by themselves, by who gives them. */
const CODES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  OpenAI: {
    rate_limit: ['rate_limit_exceeded', 'insufficient_quota', 'openai.RateLimitError', 'slow_down'],
    context_overflow: ['context_length_exceeded'],
    safety_filter: ['content_policy_violation', 'content_filter', 'moderation_blocked'],
    authentication: ['invalid_api_key', 'openai.AuthenticationError', 'PermissionDeniedError'],
    provider_error: ['server_error', 'openai.InternalServerError', 'openai.APIConnectionError'],
    timeout: ['openai.APITimeoutError', 'APIConnectionTimeoutError'],
    cancelled: ['APIUserAbortError'],
    other: ['model_not_found', 'invalid_request_error', 'BadRequestError', 'NotFoundError'],
  },
  'Azure OpenAI': {
    rate_limit: ['429', 'TooManyRequests'],
    safety_filter: ['content_filter', 'ResponsibleAIPolicyViolation'],
    authentication: ['401', 'azure.core.exceptions.ClientAuthenticationError'],
    other: ['DeploymentNotFound', 'OperationNotSupported'],
  },
  Anthropic: {
    rate_limit: ['rate_limit_error', 'billing_error'],
    context_overflow: ['request_too_large', 'model_context_window_exceeded'],
    authentication: ['authentication_error', 'permission_error'],
    provider_error: ['overloaded_error', 'api_error', '529', 'anthropic.OverloadedError'],
    timeout: ['timeout_error', 'anthropic.APITimeoutError'],
    safety_filter: ['refusal'],
    other: ['not_found_error'],
  },
  'Gemini and Vertex AI': {
    rate_limit: ['RESOURCE_EXHAUSTED', 'google.api_core.exceptions.ResourceExhausted'],
    timeout: ['DEADLINE_EXCEEDED', 'google.api_core.exceptions.DeadlineExceeded'],
    authentication: ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'API_KEY_INVALID'],
    safety_filter: ['SAFETY', 'PROHIBITED_CONTENT', 'BLOCKLIST', 'SPII', 'BlockedPromptException'],
    provider_error: ['INTERNAL', 'UNAVAILABLE', 'google.genai.errors.ServerError'],
    cancelled: ['CANCELLED'],
    other: ['INVALID_ARGUMENT', 'MALFORMED_FUNCTION_CALL', 'google.genai.errors.ClientError'],
  },
  Bedrock: {
    rate_limit: ['ThrottlingException', 'ServiceQuotaExceededException'],
    timeout: ['ModelTimeoutException', 'botocore.exceptions.ReadTimeoutError'],
    authentication: ['AccessDeniedException', 'UnrecognizedClientException', 'NoCredentialsError'],
    provider_error: [
      'ServiceUnavailableException',
      'ModelErrorException',
      'ModelNotReadyException',
      'ModelStreamErrorException',
      'InternalServerException',
    ],
    safety_filter: ['guardrail_intervened', 'content_filtered'],
    other: ['ValidationException', 'ResourceNotFoundException', 'ClientError'],
  },
  'Cohere, Mistral and Groq': {
    rate_limit: ['cohere.errors.TooManyRequestsError', 'rate_limited', 'groq.RateLimitError'],
    authentication: ['UnauthorizedError', 'ForbiddenError'],
    timeout: ['GatewayTimeoutError'],
    cancelled: ['ClientClosedRequestError'],
    provider_error: ['ServiceUnavailableError', 'capacity_exceeded', 'SDKError'],
    safety_filter: ['ERROR_TOXIC'],
    other: ['UnprocessableEntityError'],
  },
  LiteLLM: {
    rate_limit: ['litellm.RateLimitError', 'litellm.BudgetExceededError', 'PaymentRequiredError'],
    context_overflow: ['litellm.exceptions.ContextWindowExceededError'],
    safety_filter: ['ContentPolicyViolationError', 'GuardrailRaisedException'],
    timeout: ['litellm.exceptions.Timeout'],
    authentication: ['litellm.AuthenticationError', 'litellm.PermissionDeniedError'],
    provider_error: [
      'litellm.BadGatewayError',
      'litellm.ServiceUnavailableError',
      'litellm.InternalServerError',
      'litellm.APIConnectionError',
      'litellm.APIError',
    ],
    other: ['litellm.BadRequestError', 'UnsupportedParamsError', 'litellm.NotFoundError'],
  },
  'the Vercel AI SDK': {
    provider_error: ['AI_APICallError', 'AI_RetryError', 'AI_EmptyResponseBodyError'],
    authentication: ['AI_LoadAPIKeyError', 'GatewayAuthenticationError'],
    rate_limit: ['GatewayRateLimitError'],
    timeout: ['GatewayTimeoutError'],
    cancelled: ['AbortError', 'ResponseAborted'],
    other: ['AI_NoObjectGeneratedError', 'AI_NoSuchToolError', 'AI_TypeValidationError'],
  },
  LangChain: {
    rate_limit: ['MODEL_RATE_LIMIT'],
    authentication: ['MODEL_AUTHENTICATION'],
    context_overflow: ['langchain_core.exceptions.ContextOverflowError'],
    other: ['OUTPUT_PARSING_FAILURE', 'OutputParserException', 'GRAPH_RECURSION_LIMIT'],
  },
  Python: {
    cancelled: ['asyncio.CancelledError', 'asyncio.exceptions.CancelledError', 'KeyboardInterrupt'],
    timeout: ['TimeoutError', 'httpx.ReadTimeout', 'requests.exceptions.ConnectTimeout'],
    provider_error: ['httpx.ConnectError', 'ConnectionResetError', 'httpx.RemoteProtocolError'],
    other: [
      'ValueError',
      'KeyError',
      'RuntimeError',
      'pydantic_core._pydantic_core.ValidationError',
    ],
  },
  'Node and others': {
    timeout: ['ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'context.deadlineExceededError'],
    provider_error: ['ECONNRESET', 'ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_SOCKET'],
    cancelled: ['ERR_CANCELED', 'System.Threading.Tasks.TaskCanceledException', 'context.Canceled'],
    other: ['Error', 'TypeError', '_OTHER', ''],
  },
  'gRPC by number': {
    cancelled: ['1'],
    provider_error: ['2', '13', '14', '15'],
    timeout: ['4'],
    authentication: ['7', '16'],
    rate_limit: ['8'],
    other: ['3', '5', '12'],
  },
}

const codes = Object.entries(CODES).flatMap(([family, types]) =>
  Object.entries(types).flatMap(([type, all]) => all.map((code) => ({ family, type, code }))),
)

describe('A code', () => {
  test.each(codes)('$code of $family is $type', ({ code, type }) => {
    expect(classify({ errorType: code })).toBe(type)
    expect(classify({ errorType: '_OTHER', codes: [code] })).toBe(type)
    expect(classify({ errorType: code.toUpperCase() })).toBe(type)
  })

  test.each([
    ["<class 'openai.RateLimitError'>", 'rate_limit'],
    ['OpenAI::Errors::RateLimitError', 'rate_limit'],
    ['com.anthropic.errors.RateLimitException', 'rate_limit'],
    ['com.acme.Client$ReadTimeout', 'timeout'],
    ['*url.TimeoutError', 'timeout'],
    ['rate limit exceeded', 'rate_limit'],
    [`${'com.acme.'.repeat(100)}RateLimitError`, 'rate_limit'],
    ['com.acme.timeout.Failure', 'other'],
    ['ratelimit.Failure', 'other'],
  ])('is found in %s', (errorType, type) => {
    expect(classify({ errorType })).toBe(type)
  })
})

describe('The sample workload’s error', () => {
  const expected: Readonly<Record<string, string>> = {
    rate_limit_exceeded: 'rate_limit',
    timeout: 'timeout',
    server_error: 'provider_error',
    context_length_exceeded: 'context_overflow',
    content_filter: 'safety_filter',
    cancelled: 'cancelled',
    authentication_error: 'authentication',
    overloaded_error: 'provider_error',
  }

  test.each([...errorKinds, outage.error])('$type', ({ type, status, serverStatus, message }) => {
    const told = { errorType: type, codes: [type], message }
    expect(classify({ ...told, httpStatus: status })).toBe(expected[type])
    expect(classify({ ...told, httpStatus: serverStatus })).toBe(expected[type])
  })

  test('tool_error', () => {
    const told = { errorType: 'tool_error', codes: ['tool_error'], message: 'search_web failed' }
    expect(classify(told)).toBe('other')
  })
})

const BAD = { errorType: 'BadRequestError', httpStatus: 400 }

describe('A message', () => {
  test.each<[string, Partial<ErrorEvidence>, string]>([
    [
      "This model's maximum context length is 128000 tokens. However, you requested 130000.",
      BAD,
      'context_overflow',
    ],
    ['prompt is too long: 208310 tokens > 200000 maximum', BAD, 'context_overflow'],
    [
      'Input is too long for requested model.',
      { errorType: 'ValidationException', httpStatus: 400 },
      'context_overflow',
    ],
    [
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      { errorType: '400' },
      'context_overflow',
    ],
    [
      'Current length is 9000 while limit is 8192',
      { errorType: 'BadRequestError' },
      'context_overflow',
    ],
    [
      'too many tokens: total number of tokens in the prompt cannot exceed 4081',
      BAD,
      'context_overflow',
    ],
    [
      'The response was filtered due to the prompt triggering Azure OpenAI’s content management policy.',
      BAD,
      'safety_filter',
    ],
    ['Content Exists Risk', BAD, 'safety_filter'],
    ['Output blocked by content filtering policy', BAD, 'safety_filter'],
    [
      'Your chosen model requires moderation and your input was flagged for "violence".',
      { errorType: 'PermissionDeniedError', httpStatus: 403 },
      'safety_filter',
    ],
    [
      'You exceeded your current quota, please check your plan and billing details.',
      { errorType: 'AI_APICallError', httpStatus: 429 },
      'rate_limit',
    ],
    ['Your credit balance is too low to access the Anthropic API.', BAD, 'rate_limit'],
    [
      'Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 7800',
      { errorType: 'APIStatusError', httpStatus: 413 },
      'rate_limit',
    ],
    [
      'Failed after 3 attempts. Last error: Too Many Requests',
      { errorType: 'AI_RetryError' },
      'rate_limit',
    ],
    ['Overloaded', { errorType: 'APIStatusError', httpStatus: 529 }, 'provider_error'],
    ['The engine is currently overloaded', { errorType: '429' }, 'provider_error'],
    ['API key not valid. Please pass a valid API key.', { errorType: '400' }, 'authentication'],
    ['Unable to locate credentials', {}, 'authentication'],
    ['Request timed out.', { errorType: 'APIConnectionError' }, 'timeout'],
    ['The operation was aborted due to timeout', { errorType: 'AbortError' }, 'timeout'],
    ['This operation was aborted', { errorType: 'Error' }, 'cancelled'],
    ['fetch failed', { errorType: 'TypeError' }, 'provider_error'],
    ['Connection error.', { errorType: 'openai.APIConnectionError' }, 'provider_error'],
    ["invalid value for 'temperature'", BAD, 'other'],
    ["unknown parameter 'timeout'", BAD, 'other'],
  ])('"%s" besides %o is %s', (message, told, type) => {
    expect(classify({ ...told, message })).toBe(type)
    expect(classify({ ...told, message: message.toUpperCase() })).toBe(type)
  })

  test.each([
    ["Error code: 400 - {'error': {'code': 'context_length_exceeded'}}", 'context_overflow'],
    ["Error code: 429 - {'error': {'type': 'tokens'}}", 'rate_limit'],
    [
      'An error occurred (ThrottlingException) when calling the InvokeModel operation',
      'rate_limit',
    ],
    ['litellm.ContextWindowExceededError: AnthropicException - no', 'context_overflow'],
    ['status = StatusCode.DEADLINE_EXCEEDED', 'timeout'],
    ['400 {"error":{"status":"INVALID_ARGUMENT","reason":"API_KEY_INVALID"}}', 'authentication'],
    ['the model cancelled its plan, unavailable is the internal safety of it', 'other'],
    ['unknown parameter request_timeout_ms', 'other'],
  ])('with a code in it, "%s", is %s', (message, type) => {
    expect(classify({ errorType: 'ClientError', message })).toBe(type)
  })

  test('counts in its first 2 kB', () => {
    const told = 'prompt is too long'
    expect(classify({ message: `${'x '.repeat(1000)}${told}` })).toBe('context_overflow')
    expect(classify({ message: `${'x '.repeat(1025)}${told}` })).toBe('other')
  })

  test('is of several lines', () => {
    expect(classify({ message: 'call failed\nupstream\nRate limit reached' })).toBe('rate_limit')
  })
})

describe('A status', () => {
  test.each([
    [401, 'authentication'],
    [402, 'rate_limit'],
    [403, 'authentication'],
    [408, 'timeout'],
    [413, 'context_overflow'],
    [429, 'rate_limit'],
    [499, 'cancelled'],
    [500, 'provider_error'],
    [503, 'provider_error'],
    [504, 'timeout'],
    [529, 'provider_error'],
    [400, 'other'],
    [404, 'other'],
    [422, 'other'],
    [200, 'other'],
    [0, 'other'],
    [Number.NaN, 'other'],
  ])('%d is %s', (httpStatus, type) => {
    expect(classify({ httpStatus })).toBe(type)
    expect(classify({ errorType: String(httpStatus) })).toBe(type)
  })
})

describe('Evidence', () => {
  test.each<[string, Partial<ErrorEvidence>, string]>([
    [
      'of a code goes before a message',
      { errorType: 'invalid_api_key', message: 'Rate limit reached' },
      'authentication',
    ],
    [
      'of a code goes before a status',
      { errorType: 'overloaded_error', httpStatus: 429 },
      'provider_error',
    ],
    [
      'of a message goes before a status',
      { message: 'content filter', httpStatus: 500 },
      'safety_filter',
    ],
    ['of a status goes before a broad code', { errorType: 'APIError', httpStatus: 404 }, 'other'],
    ['of a broad code counts last', { errorType: 'APIError', httpStatus: 200 }, 'provider_error'],
    [
      'of a specific code counts wherever it stands',
      { errorType: 'Error', codes: ['x', 'SAFETY'] },
      'safety_filter',
    ],
    [
      'of two codes counts by the rules',
      { errorType: 'CancelledError', codes: ['TimeoutError'] },
      'timeout',
    ],
  ])('%s', (_, told, type) => {
    expect(classify(told)).toBe(type)
  })

  test('gives one of eight types, the same whatever was asked before', () => {
    const code = fc.oneof(fc.string(), fc.constantFrom(...codes.map((row) => row.code)))
    const status = fc.option(fc.integer({ min: 0, max: 700 }), { nil: undefined })
    const message = fc.oneof(fc.string(), fc.constantFrom('timed out', 'context window', 'flagged'))
    const told = fc.record({
      errorType: code,
      httpStatus: status,
      codes: fc.array(code, { maxLength: 12 }),
      message,
    })
    fc.assert(
      fc.property(fc.array(told, { maxLength: 10 }), (all) => {
        const types = all.map((one) => errors.classify(one))
        const backwards = all.toReversed().map((one) => loadedAnew.classify(one))
        expect(backwards.toReversed()).toEqual(types)
        expect(types.filter((type) => !TYPES.includes(type))).toEqual([])
      }),
      { ...SEED, numRuns: 1000 },
    )
  })

  test('is classified the same after more kinds of it than are remembered', () => {
    const first = { errorType: 'MyError', message: 'timed out after 1 s' }
    expect(classify(first)).toBe('timeout')
    for (let i = 0; i < 5000; i++) {
      const told = { errorType: `E${i}`, message: `${i} quota exceeded` }
      expect(classify(told)).toBe('rate_limit')
    }
    expect(classify(first)).toBe('timeout')
  })

  test('made to be slow is classified within a second, 200 times', () => {
    const messages = [
      'maximum input length is ',
      'current length is while limit i',
      'a_B',
      '_-',
      '*',
    ]
    const started = process.cpuUsage()
    for (const [index, part] of messages.entries()) {
      for (let i = 0; i < 40; i++) {
        const message = `${i}${part.repeat(4000)}`
        expect(TYPES).toContain(classify({ errorType: `${index}${part.repeat(4000)}`, message }))
      }
    }
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000)
  })
})

describe('A file that is wrong is named with the place', () => {
  test.each([
    ['an unknown type', 'rules: [{ type: bad }]', 'rules.0.type'],
    ['an unknown word', 'rules: [{ type: other, code: [a] }]', 'rules.0'],
    ['a code that is a map', 'rules: [{ type: other, codes: [{ a: 1 }] }]', 'rules.0.codes.0'],
    ['a code that is any', "rules: [{ type: other, codes: ['*'] }]", 'rules.0.codes.0'],
    ['a code of nothing', "rules: [{ type: other, broad_codes: ['_'] }]", 'rules.0.broad_codes.0'],
    ['a short message', 'rules: [{ type: other, message: [abcd, a*b] }]', 'rules.0.message.1'],
    [
      'a status of two digits',
      'rules: [{ type: other, http_status: [42] }]',
      'rules.0.http_status',
    ],
    [
      'a range that ends before it begins',
      'rules: [{ type: other, http_status: [599-500] }]',
      'rules.0.http_status.0',
    ],
    ['a status in words', 'rules: [{ type: other, http_status: [4xx] }]', 'rules.0.http_status'],
    ['no rules', 'rules: []', 'rules'],
    ['nothing', '', 'error types'],
    ['what is no YAML', 'rules: [', 'not YAML'],
  ])('%s', (_, text, place) => {
    expect(() => parseErrorTypes(text, 'types.yaml')).toThrow('types.yaml')
    expect(() => parseErrorTypes(text, 'types.yaml')).toThrow(place)
  })

  test.each([
    [
      'rules: [{ type: timeout, codes: [a_b] }, { type: other, codes: [A-B] }]',
      '"A-B" stands in rules.0.codes (timeout) and in rules.1.codes (other)',
    ],
    [
      'rules: [{ type: timeout, codes: [a], broad_codes: [a] }]',
      '"a" stands in rules.0.codes (timeout) and in rules.0.broad_codes (timeout)',
    ],
  ])('a code in two lists: %s', (text, told) => {
    expect(() => parseErrorTypes(text, 'types.yaml')).toThrow(`types.yaml: ${told}`)
  })
})

/** What rules make of evidence. */
const read = (rules: string, told: Partial<ErrorEvidence>) =>
  parseErrorTypes(`rules:\n${rules}`, 'types.yaml').classify(evidence(told))

describe('A rule', () => {
  test('goes before those below it', () => {
    const rules = "- { type: timeout, codes: ['a*'] }\n- { type: cancelled, codes: ['*b'] }"
    expect(['ab', 'xb'].map((errorType) => read(rules, { errorType }))).toEqual([
      'timeout',
      'cancelled',
    ])
  })

  test('with a dot in a code asks for the whole class', () => {
    const rules = "- { type: timeout, codes: [a.B, 'c.*'] }"
    const asked = ['a.B', 'x.a.B', 'B', 'c.x.D', 'x.c.D']
    expect(asked.map((errorType) => read(rules, { errorType }))).toEqual([
      'timeout',
      'other',
      'other',
      'timeout',
      'other',
    ])
  })

  test('has both ends of a range of statuses', () => {
    const rules = '- { type: timeout, http_status: [418, 500-502] }'
    const asked = [418, 499, 500, 502, 503]
    expect(asked.map((httpStatus) => read(rules, { httpStatus }))).toEqual([
      'timeout',
      'other',
      'timeout',
      'timeout',
      'other',
    ])
  })
})
