import { AnthropicInstrumentation } from '@arizeai/openinference-instrumentation-anthropic'
import { Anthropic } from 'anthropic-0'
import { callAnthropic, clientOptions } from './anthropic-calls.ts'
import { type Instruments, startTracing } from './tracing.ts'

/** Anthropic's package as it was before it traced itself, seen by OpenInference's instrumentation. */
const tracing = startTracing('openinference-anthropic')
const instrumentation: Instruments = new AnthropicInstrumentation()
instrumentation.manuallyInstrument(Anthropic)
await callAnthropic(new Anthropic(clientOptions()), tracing.run)
await tracing.end()
