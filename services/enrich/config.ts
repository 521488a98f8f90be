import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import {
  commonVariables,
  type CommonConfig,
  ConfigError,
  type Env,
  parseCommonConfig,
  readVariables,
  wholeNumber,
} from '#runtime/config.ts'
import type { ProviderNames } from './price-book.ts'
import { parseTagRules, type TagSpan } from './tags.ts'

/** The variables that enrich reads beside the common ones. */
export const enrichVariables = {
  SPANMETER_CONTENT_RATE: z.coerce
    .number()
    .min(0, 'must be at least 0')
    .max(1, 'must be at most 1')
    .default(0.05)
    .describe('Share of traces whose prompts and completions are kept, 0 to 1; errors always are.'),
  SPANMETER_TAG_RULES: z.string().optional().describe('File of tag rules. Unset: no rules.'),
  SPANMETER_ENRICH_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9465)
    .describe('Port of /metrics and /healthz of enrich; 0 for any free one.'),
} as const

/** Settings of enrich. */
export interface EnrichConfig extends CommonConfig {
  readonly metricsPort: number
  readonly contentRate: number
  readonly tagSpan: TagSpan
  readonly providerNames: ProviderNames
}

/** Reads enrich's configuration and rule file. Throws ConfigError. */
export function parseConfig(env: Env): EnrichConfig {
  const v = readVariables({ ...commonVariables, ...enrichVariables }, env)
  const rules = v.SPANMETER_TAG_RULES ?? own('tags.yaml')
  return {
    ...parseCommonConfig(env),
    metricsPort: v.SPANMETER_ENRICH_METRICS_PORT,
    contentRate: v.SPANMETER_CONTENT_RATE,
    tagSpan: readTagRules(rules),
    providerNames: z
      .record(z.string(), z.array(z.string()))
      .parse(parse(readFileSync(own('providers.yaml'), 'utf8'))),
  }
}

function own(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

function readTagRules(file: string): TagSpan {
  try {
    return parseTagRules(readFileSync(file, 'utf8'), file)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`SPANMETER_TAG_RULES=${file}: ${message}`, { cause })
  }
}
