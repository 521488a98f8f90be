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
import { messageOf } from '#runtime/errors.ts'
import { createProviderOf } from './list-providers.ts'
import { createPriceBook, type PriceBook } from './price-book.ts'
import { NO_RULES, parsePriceFile } from './price-file.ts'
import { findListedModel, PRICE_VERSION } from './prices.ts'
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
  SPANMETER_PRICES: z
    .string()
    .optional()
    .describe('File of prices of your own, see docs/prices.md. Unset: list prices alone.'),
  SPANMETER_ENRICH_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9465)
    .describe('Port of /metrics and /healthz of enrich; 0 for any free one.'),
} as const

/** Settings of enrich. */
export interface EnrichConfig extends CommonConfig {
  readonly metricsPort: number
  readonly contentRate: number
  readonly tagSpan: TagSpan
  readonly prices: PriceBook
}

/** Reads enrich's configuration, rules and prices. Throws ConfigError. */
export function parseConfig(env: Env): EnrichConfig {
  const v = readVariables({ ...commonVariables, ...enrichVariables }, env)
  return {
    ...parseCommonConfig(env),
    metricsPort: v.SPANMETER_ENRICH_METRICS_PORT,
    contentRate: v.SPANMETER_CONTENT_RATE,
    tagSpan: readFile(
      'SPANMETER_TAG_RULES',
      v.SPANMETER_TAG_RULES ?? own('tags.yaml'),
      parseTagRules,
    ),
    prices: readPrices(v.SPANMETER_PRICES),
  }
}

function readPrices(file: string | undefined): PriceBook {
  const names = z
    .record(z.string(), z.array(z.string()))
    .parse(parse(readFileSync(own('providers.yaml'), 'utf8')))
  const providerOf = createProviderOf(names)
  const readRules = (text: string, path: string) => parsePriceFile(text, path, providerOf)
  return createPriceBook({
    findListedModel,
    listVersion: PRICE_VERSION,
    providerOf,
    listTiers: readRules(readFileSync(own('tiers.yaml'), 'utf8'), 'tiers.yaml'),
    own: file === undefined ? NO_RULES : readFile('SPANMETER_PRICES', file, readRules),
  })
}

function own(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

/** Reads a file that a variable names; errors name both. */
function readFile<T>(
  variable: string,
  file: string,
  parseText: (text: string, file: string) => T,
): T {
  try {
    return parseText(readFileSync(file, 'utf8'), file)
  } catch (cause) {
    const message = messageOf(cause)
    throw new ConfigError(`${variable}=${file}: ${message}`, { cause })
  }
}
