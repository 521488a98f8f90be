import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadProviderNames, parseProviderNames } from '../../services/ingest/provider-names.ts'

const SEED = { seed: 20_260_104 }
const names = loadProviderNames()

/** Names that mean each provider, by who gives them. */
const FAMILIES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'the conventions of today': {
    openai: ['openai'],
    anthropic: ['anthropic'],
    'azure.ai.openai': ['azure.ai.openai'],
    'azure.ai.inference': ['azure.ai.inference'],
    'aws.bedrock': ['aws.bedrock'],
    'gcp.gemini': ['gcp.gemini'],
    'gcp.vertex_ai': ['gcp.vertex_ai'],
    'gcp.gen_ai': ['gcp.gen_ai'],
    x_ai: ['x_ai'],
    mistral_ai: ['mistral_ai'],
    cohere: ['cohere'],
    deepseek: ['deepseek'],
    groq: ['groq'],
    perplexity: ['perplexity'],
    moonshot_ai: ['moonshot_ai'],
    'ibm.watsonx.ai': ['ibm.watsonx.ai'],
  },
  'the conventions before, as gen_ai.system': {
    'azure.ai.openai': ['az.ai.openai'],
    'azure.ai.inference': ['az.ai.inference'],
    'gcp.gemini': ['gemini'],
    'gcp.vertex_ai': ['vertex_ai'],
    x_ai: ['xai'],
  },
  'the Vercel AI SDK': {
    openai: ['openai.chat', 'openai.responses', 'openai.embedding', 'openai.completion'],
    anthropic: ['anthropic.messages', 'anthropic.chat'],
    'gcp.gemini': ['google.generative-ai', 'google.generative-ai.chat'],
    'gcp.vertex_ai': ['google.vertex.chat', 'google-vertex', 'vertex.anthropic.messages'],
    'aws.bedrock': ['amazon-bedrock', 'amazon-bedrock.chat', 'bedrock.anthropic.messages'],
    'azure.ai.openai': ['azure-openai.chat', 'azure-openai.responses', 'azure.chat'],
    x_ai: ['xai.chat', 'xai.responses'],
    mistral_ai: ['mistral.chat'],
    cohere: ['cohere.chat'],
    groq: ['groq.chat'],
    deepseek: ['deepseek.chat'],
    moonshot_ai: ['moonshotai.chat'],
    together: ['togetherai.chat'],
    fireworks: ['fireworks.chat'],
    vercel: ['gateway'],
  },
  'Traceloop, with capitals once': {
    openai: ['OpenAI'],
    anthropic: ['Anthropic'],
    cohere: ['Cohere'],
    mistral_ai: ['MistralAI', 'mistral_ai'],
    hugging_face: ['HuggingFace', 'hugging_face'],
    'aws.bedrock': ['AWS', 'Bedrock'],
    'azure.ai.openai': ['Azure'],
    'gcp.gemini': ['Google', 'Gemini'],
    'gcp.vertex_ai': ['VertexAI'],
    'ibm.watsonx.ai': ['Watsonx'],
    together: ['TogetherAI', 'together_ai'],
    aleph_alpha: ['AlephAlpha', 'aleph_alpha'],
    replicate: ['Replicate'],
    ollama: ['Ollama'],
    openrouter: ['openrouter'],
    fireworks: ['fireworks'],
  },
  LiteLLM: {
    openai: ['text-completion-openai', 'chatgpt'],
    'azure.ai.openai': ['azure', 'azure_text'],
    'azure.ai.inference': ['azure_ai'],
    'aws.bedrock': ['bedrock', 'bedrock_converse'],
    'gcp.gemini': ['gemini'],
    'gcp.vertex_ai': ['vertex_ai', 'vertex_ai_beta'],
    mistral_ai: ['mistral', 'codestral'],
    moonshot_ai: ['moonshot'],
    cohere: ['cohere_chat'],
    fireworks: ['fireworks_ai'],
    perplexity: ['perplexity'],
    ollama: ['ollama_chat'],
    hugging_face: ['huggingface'],
    nvidia: ['nvidia_nim'],
    vllm: ['hosted_vllm', 'vllm'],
    vercel: ['vercel_ai_gateway'],
    voyageai: ['voyage'],
    alibaba: ['dashscope'],
    zai: ['zai'],
    litellm: ['litellm_proxy'],
  },
  OpenInference: {
    openai: ['openai'],
    mistral_ai: ['mistralai'],
    'gcp.vertex_ai': ['vertexai'],
    'gcp.gemini': ['google'],
    'azure.ai.openai': ['azure'],
    'aws.bedrock': ['aws'],
    x_ai: ['xai'],
    cerebras: ['cerebras'],
    together: ['together'],
    meta: ['meta'],
    minimax: ['minimax'],
    oracle: ['oracle'],
  },
  'LangSmith and LangChain': {
    'gcp.gemini': ['google_genai'],
    'gcp.vertex_ai': ['google_vertexai', 'google_anthropic_vertex'],
    'aws.bedrock': ['amazon_bedrock', 'bedrock_converse', 'anthropic_bedrock'],
    'azure.ai.openai': ['azure', 'azure_openai'],
    mistral_ai: ['mistral', 'mistralai'],
    'ibm.watsonx.ai': ['ibm'],
  },
  'Pydantic AI, OpenLIT, Genkit and Spring AI': {
    'gcp.gemini': ['google-gla', 'googleai', 'google'],
    'gcp.vertex_ai': ['google-vertex', 'google-cloud', 'vertexai'],
    moonshot_ai: ['moonshotai'],
    'ibm.watsonx.ai': ['ibm.watson.ai'],
    vllm: ['vLLM'],
    'azure.ai.openai': ['azure-openai'],
    oracle: ['oci_genai'],
    'github-copilot': ['github-copilot', 'github_copilot'],
    zhipuai: ['zhipuai'],
  },
}

const rows = Object.entries(FAMILIES).flatMap(([family, providers]) =>
  Object.entries(providers).flatMap(([provider, all]) =>
    all.map((name) => ({ family, provider, name })),
  ),
)

describe('The canonical name', () => {
  test.each(rows)('of $name, as in $family, is $provider', ({ name, provider }) => {
    expect(names.canonical(name)).toBe(provider)
    expect(names.canonical(` ${name.toUpperCase()}\n`)).toBe(provider)
  })

  test.each([
    ['acme-gateway', 'acme-gateway'],
    ['  Internal LLM ', 'Internal LLM'],
    ['langchain', 'langchain'],
    ['openaix', 'openaix'],
    ['azure.ai.agents', 'azure.ai.agents'],
    ['', ''],
  ])('of "%s", which is unknown, is "%s"', (name, same) => {
    expect(names.canonical(name)).toBe(same)
  })

  test('has itself for its canonical name, whatever it came from', () => {
    const known = fc.constantFrom(...rows.map(({ name }) => name))
    const suffix = fc.constantFrom('', '.', '.chat', '-ai', ' ', '/x')
    const name = fc.oneof(
      fc.string(),
      known,
      fc.tuple(known, suffix).map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(name, (text) => {
        const once = names.canonical(text)
        expect(names.canonical(once)).toBe(once)
      }),
      { ...SEED, numRuns: 2000 },
    )
  })
})

test.each([
  ['openai/gpt-4o', 'openai'],
  ['azure/gpt-4o', 'azure.ai.openai'],
  ['openrouter/anthropic/claude-sonnet-4-5', 'openrouter'],
  ['bedrock/us.anthropic.claude-sonnet-4-5-v1:0', 'aws.bedrock'],
  ['vertex_ai/gemini-2.5-pro', 'gcp.vertex_ai'],
  ['googleai/gemini-2.5-flash', 'gcp.gemini'],
  ['x-ai/grok-4', 'x_ai'],
  ['Mistral/large', 'mistral_ai'],
  ['gpt-4o', ''],
  ['openai', ''],
  ['models/gemini-2.5-pro', ''],
  ['meta-llama/Llama-3.3-70B-Instruct', ''],
  ['deepseek-ai/DeepSeek-V3', ''],
  ['ft:gpt-4o:acme/x', ''],
  ['/openai/gpt-4o', ''],
  ['', ''],
])('The model "%s" tells the provider "%s"', (model, provider) => {
  expect(names.fromModel(model)).toBe(provider)
})

describe('The host', () => {
  test.each([
    ['api.openai.com', 'openai'],
    ['eu.api.openai.com', 'openai'],
    ['acme.openai.azure.com', 'azure.ai.openai'],
    ['acme.cognitiveservices.azure.com', 'azure.ai.openai'],
    ['acme.services.ai.azure.com', 'azure.ai.inference'],
    ['models.inference.ai.azure.com', 'github'],
    ['api.anthropic.com', 'anthropic'],
    ['generativelanguage.googleapis.com', 'gcp.gemini'],
    ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
    ['europe-west4-aiplatform.googleapis.com', 'gcp.vertex_ai'],
    ['bedrock-runtime.eu-central-1.amazonaws.com', 'aws.bedrock'],
    ['api.mistral.ai', 'mistral_ai'],
    ['api.x.ai', 'x_ai'],
    ['api.groq.com', 'groq'],
    ['api.deepseek.com', 'deepseek'],
    ['api.cohere.com', 'cohere'],
    ['api.cohere.ai', 'cohere'],
    ['api.perplexity.ai', 'perplexity'],
    ['api.moonshot.ai', 'moonshot_ai'],
    ['us-south.ml.cloud.ibm.com', 'ibm.watsonx.ai'],
    ['openrouter.ai', 'openrouter'],
    ['api.together.xyz', 'together'],
    ['api.fireworks.ai', 'fireworks'],
    ['api.cerebras.ai', 'cerebras'],
    ['router.huggingface.co', 'hugging_face'],
    ['ai-gateway.vercel.sh', 'vercel'],
    ['localhost:11434', 'ollama'],
    ['[::1]:11434', 'ollama'],
    ['http://127.0.0.1:11434/v1', 'ollama'],
    ['https://API.OpenAI.com:443/v1/chat?x=1', 'openai'],
    ['https://user:word@api.groq.com/openai', 'groq'],
    ['api.openai.com.', 'openai'],
  ])('%s is of %s', (host, provider) => {
    expect(names.fromHost(host)).toBe(provider)
  })

  test.each([
    'localhost',
    'localhost:8080',
    'llm.acme.internal',
    'api.openai.com.acme.internal',
    'notapi.openai.com',
    'openai',
    'https://acme.internal/api.openai.com',
    '',
  ])('"%s" is of nobody known', (host) => {
    expect(names.fromHost(host)).toBe('')
  })
})

describe('A file that is wrong is named with the place', () => {
  test.each([
    ['an alias of two', 'a: { aliases: [x_y] }\nb: { aliases: [X-Y] }', 'both a and b'],
    ['an alias that is the name of another', 'a: {}\nb: { aliases: [A] }', 'both a and b'],
    ['a prefix of two', 'a: { prefixes: [x.] }\nb: { prefixes: [x.] }', 'both a and b'],
    ['a host of two', 'a: { hosts: [x.io] }\nb: { hosts: [X.io] }', 'both a and b'],
    ['an unknown word', 'a: { alias: [b] }', 'a'],
    ['an alias that is no text', 'a: { aliases: [1] }', 'a.aliases.0'],
    ['an alias of nothing', "a: { aliases: ['-'] }", 'a.aliases.0'],
    ['a prefix of nothing', "a: { prefixes: [''] }", 'a.prefixes.0'],
    ['a host that is any', "a: { hosts: ['*.*'] }", 'a.hosts.0'],
    ['a list', '[openai]', 'names of providers'],
    ['what is no YAML', 'a: [', 'not YAML'],
  ])('%s', (_, text, place) => {
    expect(() => parseProviderNames(text, 'names.yaml')).toThrow('names.yaml')
    expect(() => parseProviderNames(text, 'names.yaml')).toThrow(place)
  })

  test('a name that stands for two is told', () => {
    const text = 'a: { aliases: [x] }\nb: { aliases: [X] }'
    expect(() => parseProviderNames(text, 'f')).toThrow('the alias "x" stands for both a and b')
  })
})

test('A longer prefix goes before a shorter one, and an alias before both', () => {
  const text = 'a: { prefixes: [x.] }\nb: { prefixes: [x.y.] }\nc: { aliases: [x.y.z] }'
  const ordered = parseProviderNames(text, 'names.yaml')
  const found = ['x.1', 'x.y.1', 'x.y.z'].map((name) => ordered.canonical(name))
  expect(found).toEqual(['a', 'b', 'c'])
})
