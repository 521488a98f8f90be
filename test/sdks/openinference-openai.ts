import { OpenAIInstrumentation } from '@arizeai/openinference-instrumentation-openai'
import OpenAI from 'openai'
import { callOpenAi, clientOptions } from './openai-calls.ts'
import { startTracing } from './tracing.ts'

/** The `openai` package, seen by OpenInference's instrumentation. */
const tracing = startTracing('openinference-openai')
new OpenAIInstrumentation().manuallyInstrument(OpenAI)
await callOpenAi(new OpenAI(clientOptions()), tracing.run)
await tracing.end()
