import Anthropic from '@anthropic-ai/sdk'
import { AnthropicInstrumentation } from '@arizeai/openinference-instrumentation-anthropic'
import { callAnthropic, clientOptions } from './anthropic-calls.ts'
import { startTracing } from './tracing.ts'

/** Anthropic's own package, which traces itself, seen by OpenInference's instrumentation as well. */
const tracing = startTracing('anthropic-twice')
new AnthropicInstrumentation().manuallyInstrument(Anthropic)
await callAnthropic(new Anthropic(clientOptions()), tracing.run)
await tracing.end()
