import { createHmac, type KeyObject } from 'node:crypto'
import type { Action, Policy } from './policy.ts'
import type { TextRange } from './text-edges.ts'

/** Whose text it is, and what is done with it. */
export interface RedactionScope {
  readonly policy: Policy
  readonly tenant: string
  readonly key: KeyObject | undefined
}

/** A match, and what stands in its place. */
export interface Finding extends TextRange {
  readonly detector: string
  readonly replacement: string
}

const HASH_DIGITS = 16
const MASKED = '[redacted]'

/**
 * The first 64 bits of an HMAC-SHA-256 of the tenant and the value: the same value has the same hash within a tenant and
 * another one in the next, and without the key nobody can try values out.
 */
export function hashValue({ key, tenant }: RedactionScope, value: string): string {
  if (key === undefined) throw new Error('a policy hashes, and there is no key')
  const digest = createHmac('sha256', key).update(`${tenant}\0${value}`).digest('hex')
  return `hash:${digest.slice(0, HASH_DIGITS)}`
}

/** What becomes of a whole field by a rule. */
export function redactField(scope: RedactionScope, action: Action, text: string): string {
  if (action === 'keep' || text === '') return text
  if (action === 'drop') return ''
  return action === 'hash' ? hashValue(scope, text) : MASKED
}

interface RankedMatch extends TextRange {
  readonly rank: number
}

/** Everything that the policy's detectors find in a text that has these features, in order and apart. */
export function findAll(scope: RedactionScope, text: string, features: number): readonly Finding[] {
  const { active } = scope.policy
  const matches: RankedMatch[] = []
  for (const [rank, { detector }] of active.entries()) {
    if ((detector.features & features) === 0) continue
    for (const { start, end } of detector.find(text, features)) matches.push({ start, end, rank })
  }
  return merge(matches).flatMap(({ start, end, rank }) => {
    const use = active[rank]
    if (use === undefined) return []
    const { detector, action } = use
    const replacement = replace(scope, action, detector.name, () =>
      detector.normalize(text.slice(start, end)),
    )
    return [{ start, end, detector: detector.name, replacement }]
  })
}

/** Matches that overlap become one, of the detector that stands first. */
function merge(matches: readonly RankedMatch[]): readonly RankedMatch[] {
  const apart: RankedMatch[] = []
  for (const match of matches.toSorted((a, b) => a.start - b.start)) {
    const before = apart.at(-1)
    if (before === undefined || match.start >= before.end) apart.push(match)
    else {
      const rank = Math.min(before.rank, match.rank)
      apart.splice(-1, 1, { start: before.start, end: Math.max(before.end, match.end), rank })
    }
  }
  return apart
}

function replace(
  scope: RedactionScope,
  action: Action,
  name: string,
  normalize: () => string,
): string {
  if (action === 'drop') return ''
  return action === 'hash' ? hashValue(scope, normalize()) : `[${name}]`
}

/** The text with what was found replaced; the text itself where nothing was found. */
export function redactText(scope: RedactionScope, text: string, features: number): string {
  const findings = findAll(scope, text, features)
  if (findings.length === 0) return text
  let result = ''
  let end = 0
  for (const finding of findings) {
    result += text.slice(end, finding.start) + quoteInJson(text, finding)
    ;({ end } = finding)
  }
  return result + text.slice(end)
}

/** In JSON a number that becomes a word becomes a string: other readers must still be able to read it. */
function quoteInJson(text: string, { start, end, replacement }: Finding): string {
  const isJson = /^\s*[[{]/.test(text)
  if (!isJson || !/^\d+$/.test(text.slice(start, end))) return replacement
  const stands = /[:,[]\s{0,8}$/.test(text.slice(Math.max(0, start - 9), start))
  const isAlone = stands && /^\s{0,8}[,\]}]/.test(text.slice(end, end + 9))
  return isAlone ? `"${replacement}"` : replacement
}
