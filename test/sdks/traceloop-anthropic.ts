import { AnthropicInstrumentation } from '@traceloop/instrumentation-anthropic'
import * as anthropic from 'anthropic-0'
import { callAnthropic, clientOptions } from './anthropic-calls.ts'
import { type Instruments, startTracing } from './tracing.ts'

/**
 * Anthropic's package as it was before it traced itself, seen by Traceloop's instrumentation, which
 * needs the text completions that version 1 has no more.
 */
const tracing = startTracing('traceloop-anthropic')
const instrumentation: Instruments = new AnthropicInstrumentation()
instrumentation.manuallyInstrument(anthropic)
await callAnthropic(new anthropic.Anthropic(clientOptions()), tracing.run)
await tracing.end()
