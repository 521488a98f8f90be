import Anthropic from '@anthropic-ai/sdk'
import { callAnthropic, clientOptions } from './anthropic-calls.ts'
import { startTracing } from './tracing.ts'

/** Anthropic's own package, which traces itself. */
const tracing = startTracing('anthropic')
await callAnthropic(new Anthropic(clientOptions()), tracing.run)
await tracing.end()
