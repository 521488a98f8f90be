import { OpenAIInstrumentation } from '@traceloop/instrumentation-openai'
import OpenAI from 'openai'
import { callOpenAi, clientOptions } from './openai-calls.ts'
import { startTracing } from './tracing.ts'

/** The `openai` package, seen by Traceloop's instrumentation. */
const tracing = startTracing('traceloop-openai')
new OpenAIInstrumentation().manuallyInstrument(OpenAI)
await callOpenAi(new OpenAI(clientOptions()), tracing.run)
await tracing.end()
