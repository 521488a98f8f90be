import { z } from 'zod'
import { API_KEY_ID } from './api-key.ts'
import { ConfigError, readNamedFile, wholeNumber } from './config.ts'
import { messageOf } from './errors.ts'
import { parseTime } from './iso-time.ts'
import { misshapen, readYamlTexts } from './yaml.ts'

/** What a key may be used for. */
export type Scope = (typeof SCOPES)[number]
export const SCOPES = ['traces', 'evaluations'] as const

/** How much a sender may send; what is left out has no limit of its own. */
export interface SenderLimits {
  readonly spans_per_second?: number | undefined
  readonly bytes_per_second?: number | undefined
  readonly max_request_bytes?: number | undefined
}

/** A key as the file has it. */
export interface ApiKeyEntry {
  readonly id: string
  /** SHA-256 of the key in hexadecimal digits. */
  readonly hash: string
  readonly tenant: string
  readonly scopes: readonly Scope[]
  /** Milliseconds since the epoch, from which on the key is refused. */
  readonly expires?: number | undefined
  readonly limits: SenderLimits
}

/** Who may send, and how much. */
export interface ApiKeysFile {
  readonly keys: readonly ApiKeyEntry[]
  /** Limits of tenants, in which the defaults are filled in; of others the defaults hold. */
  readonly tenants: ReadonlyMap<string, SenderLimits>
  readonly defaults: SenderLimits
}

/** The variable that names the file. */
export const apiKeyVariables = {
  SPANMETER_API_KEYS: z
    .string()
    .optional()
    .describe('YAML file of API keys (receiving.md). Unset: whoever reaches the port may send.'),
} as const

const MAX_KEYS = 10_000
const MAX_TENANT_LENGTH = 1_000
const MAX_RATE = 1_000_000_000
const MAX_REQUEST_BYTES = 64 * 1024 * 1024

const rate = wholeNumber(1, MAX_RATE).optional()
const limits = z.strictObject({
  spans_per_second: rate,
  bytes_per_second: rate,
  max_request_bytes: wholeNumber(1, MAX_REQUEST_BYTES).optional(),
})
const limited = z.strictObject({ limits: limits.default({}) }, 'must hold limits')
const tenant = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(MAX_TENANT_LENGTH, `must have ${MAX_TENANT_LENGTH} characters at most`)
const key = z.strictObject({
  id: z.string('must be a text').regex(API_KEY_ID, 'must be up to 32 letters and digits'),
  hash: z
    .string('must be a text')
    .regex(/^[\da-fA-F]{64}$/, 'must be the 64 hex digits of a SHA-256')
    .transform((hash) => hash.toLowerCase()),
  tenant,
  scopes: z
    .array(z.enum(SCOPES, `must be ${SCOPES.join(' or ')}`), 'must be a list')
    .min(1, 'must name a scope at least')
    .default([...SCOPES]),
  expires: z
    .string('must be a text')
    .transform((text, context) => {
      const timeMs = parseTime(text)
      if (timeMs !== undefined) return timeMs
      context.issues.push({ code: 'custom', message: 'must be an ISO date or time', input: text })
      return z.NEVER
    })
    .optional(),
  limits: limits.default({}),
})
const shape = z.strictObject({
  keys: z.array(key, 'must be a list of keys').max(MAX_KEYS).default([]),
  tenants: z.record(tenant, limited, 'must be limits by name of tenant').default({}),
  defaults: limited.default({ limits: {} }),
})

/** Reads a file of keys. Throws ConfigError that names every place that is wrong, and shows no text of it. */
export function readApiKeysFile(file: string): ApiKeysFile {
  const text = readNamedFile('SPANMETER_API_KEYS', file).toString('utf8')
  return parseApiKeysFile(text, file)
}

/** Reads the text of a file of keys; throws as `readApiKeysFile`. */
export function parseApiKeysFile(text: string, file: string): ApiKeysFile {
  const yaml = readTexts(text, file)
  const complain = (
    issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
  ) => {
    const places = issues.map(({ path, message }) => `  ${yaml.describe(path)}: ${message}`)
    return new ConfigError(`${file} does not say who may send:\n${places.join('\n')}`)
  }
  const result = shape.safeParse(withoutEmpty(yaml.value))
  if (!result.success) throw complain(misshapen(result.error))
  const { keys, tenants, defaults } = result.data
  const repeated = [...repeats(keys, 'id'), ...repeats(keys, 'hash')]
  if (repeated.length > 0) throw complain(repeated)
  return {
    keys,
    tenants: new Map(
      Object.entries(tenants).map(([name, own]) => [name, { ...defaults.limits, ...own.limits }]),
    ),
    defaults: defaults.limits,
  }
}

/** A heading with nothing below it says as much as one that is not there. */
function withoutEmpty(value: unknown): unknown {
  if (value === null || value === '') return {}
  if (typeof value !== 'object' || Array.isArray(value)) return value
  const filled = Object.entries(value).filter(([, below]) => below !== null && below !== '')
  return Object.fromEntries(filled)
}

function readTexts(text: string, file: string) {
  try {
    return readYamlTexts(text, file, { hidesText: true })
  } catch (error) {
    throw new ConfigError(messageOf(error), { cause: error })
  }
}

/** One hash under two ids would let a key that was revoked go on. */
function repeats(keys: readonly ApiKeyEntry[], field: 'id' | 'hash') {
  const seen = new Set<string>()
  return keys.flatMap((entry, i) => {
    if (!seen.has(entry[field])) {
      seen.add(entry[field])
      return []
    }
    return [{ path: ['keys', i, field], message: 'stands above already' }]
  })
}
