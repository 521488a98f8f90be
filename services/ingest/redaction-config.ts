import { z } from 'zod'
import { ConfigError } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { type Dialects, fieldIndex } from './dialects.ts'
import type { Policies } from './redact/policy.ts'
import { loadPolicies } from './redact/policy-file.ts'

/** What is taken out of spans before they are written anywhere. */
export const redactionVariables = {
  SPANMETER_REDACTION: z
    .string()
    .optional()
    .describe(
      'File that says what is masked, hashed or dropped before it is stored, see redaction.md.',
    ),
  SPANMETER_REDACTION_KEY: z
    .string()
    .default('')
    .describe('Key of the hashes of redaction, 16 bytes or more. Keep it secret, and keep it.'),
} as const

/** Reads the policies. Throws ConfigError, which never shows the key. */
export function readRedaction(
  v: {
    readonly SPANMETER_REDACTION?: string | undefined
    readonly SPANMETER_REDACTION_KEY: string
  },
  dialects: Dialects,
): Policies | undefined {
  const file = v.SPANMETER_REDACTION
  if (file === undefined) return undefined
  try {
    return loadPolicies(file, { key: v.SPANMETER_REDACTION_KEY, userKeys: userKeys(dialects) })
  } catch (cause) {
    throw new ConfigError(`SPANMETER_REDACTION=${file}: ${messageOf(cause)}`, { cause })
  }
}

/** Attributes that fill the field `user`; where two are there, one of them remains an attribute. */
function userKeys(dialects: Dialects): readonly string[] {
  const sources = dialects.sources[fieldIndex(dialects, 'user')] ?? []
  return sources.flatMap(({ source }) => source.attribute ?? source.resource ?? [])
}
