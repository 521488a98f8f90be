import { OpenTelemetry } from '@ai-sdk/otel'
import { createOpenAI } from '@ai-sdk/openai'
import { OpenAIInstrumentation } from '@traceloop/instrumentation-openai'
import { generateText, registerTelemetry, wrapLanguageModel } from 'ai'
import OpenAI from 'openai'
import { clientOptions } from './openai-calls.ts'
import { startTracing } from './tracing.ts'

/**
 * The AI SDK with a middleware that asks the `openai` package instead of the model: both are traced,
 * so that one call is a span of the AI SDK's around a span of Traceloop's.
 */
const tracing = startTracing('ai-sdk-7-over-openai')
registerTelemetry(new OpenTelemetry())
new OpenAIInstrumentation().manuallyInstrument(OpenAI)

const client = new OpenAI(clientOptions())
const model = wrapLanguageModel({
  model: createOpenAI(clientOptions()).chat('gpt-4o-mini'),
  middleware: {
    specificationVersion: 'v4',
    async wrapGenerate() {
      const { choices, usage } = await client.chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'Which way?' }],
      })
      const input = usage?.prompt_tokens
      const cacheRead = usage?.prompt_tokens_details?.cached_tokens
      const output = usage?.completion_tokens
      return {
        content: [{ type: 'text', text: choices[0]?.message.content ?? '' }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: {
          inputTokens: { total: input, noCache: undefined, cacheRead, cacheWrite: undefined },
          outputTokens: { total: output, text: output, reasoning: undefined },
        },
        warnings: [],
      }
    },
  },
})
await tracing.run('chat', () => generateText({ model, prompt: 'Which way?', maxRetries: 0 }))
await tracing.end()
