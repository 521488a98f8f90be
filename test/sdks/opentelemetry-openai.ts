import { createRequire } from 'node:module'
import { metrics } from '@opentelemetry/api'
import { OpenAIInstrumentation } from '@opentelemetry/instrumentation-openai'
import type * as OpenAiPackage from 'openai'
import { callOpenAi, clientOptions } from './openai-calls.ts'
import { startTracing } from './tracing.ts'

/**
 * The `openai` package, seen by OpenTelemetry's own instrumentation. It takes no class to patch: it
 * patches what is required after it, so the package is loaded last. It makes its histograms when it is
 * given a provider of meters, as an SDK does, and fails in streams without them.
 */
const tracing = startTracing('opentelemetry-openai')
new OpenAIInstrumentation().setMeterProvider(metrics.getMeterProvider())
const { default: OpenAI }: typeof OpenAiPackage = createRequire(import.meta.url)('openai')
await callOpenAi(new OpenAI(clientOptions()), tracing.run)
await tracing.end()
