import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { OpenTelemetry } from '@ai-sdk/otel'
import { embed, generateText, registerTelemetry, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'
import { drain, providerUrl, refused, startTracing } from './tracing.ts'

/** Vercel's AI SDK 7, seen by its own telemetry. */
const tracing = startTracing('ai-sdk-7')
registerTelemetry(new OpenTelemetry())

const options = { baseURL: `${providerUrl()}/v1`, apiKey: 'test' }
const openai = createOpenAI(options)
const anthropic = createAnthropic(options)
const question = { prompt: 'Which way?', maxRetries: 0 }

await tracing.run('chat', () => generateText({ ...question, model: openai.chat('gpt-4o-mini') }))
await tracing.run('chat-reasoning', () => generateText({ ...question, model: openai.chat('o3') }))
await tracing.run('chat-stream', () =>
  drain(streamText({ ...question, model: openai.chat('gpt-4o-mini') }).textStream),
)
// Two calls: one that asks for the tool, and one that answers in words.
await tracing.run('chat-tool', () =>
  generateText({
    ...question,
    model: openai.chat('gpt-4o-mini'),
    tools: { look: tool({ inputSchema: z.object({}), execute: () => 'A fork.' }) },
    stopWhen: stepCountIs(3),
  }),
)
await tracing.run('responses', () => generateText({ ...question, model: openai('gpt-5-mini') }))
await tracing.run('responses-stream', () =>
  drain(streamText({ ...question, model: openai('gpt-5-mini') }).textStream),
)
await tracing.run('embeddings', () =>
  embed({ model: openai.embedding('text-embedding-3-small'), value: 'Which way?' }),
)
await tracing.run('messages', () =>
  generateText({ ...question, model: anthropic('claude-sonnet-4-5') }),
)
await tracing.run('messages-stream', () =>
  drain(streamText({ ...question, model: anthropic('claude-sonnet-4-5') }).textStream),
)
await tracing.run('messages-small-cache', () =>
  generateText({ ...question, model: anthropic('claude-haiku-4-5') }),
)
await tracing.run('error-429', () =>
  refused(() => generateText({ ...question, model: openai.chat('error-429') })),
)
await tracing.run('error-context', () =>
  refused(() => generateText({ ...question, model: openai.chat('error-context') })),
)
await tracing.end()
