import { OpenAIInstrumentation as OpenInference } from '@arizeai/openinference-instrumentation-openai'
import { OpenAIInstrumentation as Traceloop } from '@traceloop/instrumentation-openai'
import OpenAI from 'openai'
import { callOpenAi, clientOptions } from './openai-calls.ts'
import { startTracing } from './tracing.ts'

/** The `openai` package, seen by two instrumentations at once. */
const tracing = startTracing('openai-twice')
new Traceloop().manuallyInstrument(OpenAI)
new OpenInference().manuallyInstrument(OpenAI)
await callOpenAi(new OpenAI(clientOptions()), tracing.run)
await tracing.end()
