import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseYaml, requireShape } from '#runtime/yaml.ts'
import { createLayout } from '#schemas/layout.ts'
import { schemas } from '#schemas/topics.ts'
import { compileWildcard } from '../wildcard.ts'
import type { Detector } from './detector.ts'
import { DETECTORS } from './detectors.ts'
import { createFeatureScan, FIRST_OWN_FEATURE } from './feature-scan.ts'
import { createOwnDetector, PatternError } from './own-pattern.ts'
import type { Action, ActiveDetector, FieldRules, Policies, Policy } from './policy.ts'

const MAX_OWN_PATTERNS = 16
const MIN_KEY_BYTES = 16

const action = z.enum(['mask', 'hash', 'drop', 'keep'])
const policyShape = z.union([
  z.literal('off'),
  z.strictObject({
    detectors: z.record(z.string(), action).default({}),
    content: z.enum(['keep', 'drop']).default('keep'),
    user: z.enum(['keep', 'hash']).default('keep'),
    fields: z.record(z.string(), action).default({}),
  }),
])
const fileShape = z
  .strictObject({
    default: policyShape.prefault({}),
    tenants: z.record(z.string(), policyShape).default({}),
    patterns: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, 'must be a word in small letters'),
          pattern: z.string().min(1).max(1_000),
          contains: z.array(z.string().min(2)).default([]),
        }),
      )
      .max(MAX_OWN_PATTERNS)
      .default([]),
  })
  .superRefine((file, context) => {
    for (const { path, message } of findMistakes(file)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })
type PolicyShape = z.output<typeof policyShape>
type FileShape = z.output<typeof fileShape>

/** What else compiling a policy needs. */
export interface PolicyOptions {
  /** SPANMETER_REDACTION_KEY; empty where it is not set. */
  readonly key: string
  /** Attributes that tell the end user: a policy that hashes users hashes those, too, where they remain. */
  readonly userKeys: readonly string[]
}

/** Fields that rules may name: ids that join spans stay as they are. */
const FIELDS: ReadonlySet<string> = new Set(
  [schemas.span, schemas.evaluation].flatMap((schema) => [...createLayout(schema).strings]),
)
const FIXED = new Set(['trace_id', 'span_id', 'parent_span_id', 'evaluation_id'])
const PREFIXES = ['attributes.', 'resource.', 'content.', 'events.', 'links.']

/** Reads a policy file. Throws an Error that names the file and every place that is wrong. */
export function loadPolicies(file: string, options: PolicyOptions): Policies {
  return compilePolicies(readFileSync(file, 'utf8'), file, options)
}

/** Compiles the text of a policy file. Throws as loadPolicies does. */
export function compilePolicies(text: string, file: string, options: PolicyOptions): Policies {
  const complaint = `${file} is not a redaction policy`
  const shape = requireShape(fileShape, parseYaml(text, file) ?? {}, complaint)
  const key = Buffer.from(options.key)
  if (hashes(shape) && key.length < MIN_KEY_BYTES) {
    throw new Error(
      `${file} hashes: set SPANMETER_REDACTION_KEY to ${MIN_KEY_BYTES} bytes or more (openssl rand -hex 32)`,
    )
  }
  const own = shape.patterns.map((pattern, i) =>
    createOwnDetector(pattern, FIRST_OWN_FEATURE * 2 ** i),
  )
  const always = own.reduce(
    (bits, { features, literals }) => (literals.length === 0 ? bits | features : bits),
    0,
  )
  const compile = (policy: PolicyShape) =>
    policy === 'off' ? undefined : compilePolicy(policy, { own, always, ...options })
  const fallback = compile(shape.default)
  const tenants = new Map(
    Object.entries(shape.tenants).map(([tenant, policy]) => [tenant, compile(policy)] as const),
  )
  return {
    policyOf: (tenant) => (tenants.has(tenant) ? tenants.get(tenant) : fallback),
    key: key.length === 0 ? undefined : createSecretKey(key),
  }
}

interface PolicyParts {
  readonly own: readonly Detector[]
  /** Features of patterns that say nothing of what their matches hold. */
  readonly always: number
  readonly userKeys: readonly string[]
}

function compilePolicy(
  { detectors, content, user, fields }: Exclude<PolicyShape, 'off'>,
  { own, always, userKeys }: PolicyParts,
): Policy {
  const active = [...own, ...DETECTORS].flatMap((detector): ActiveDetector[] => {
    const chosen = detectors[detector.name] ?? 'mask'
    return chosen === 'keep' ? [] : [{ detector, action: chosen }]
  })
  const features = active.reduce((bits, { detector }) => bits | detector.features, 0)
  const scan = createFeatureScan(active.flatMap(({ detector }) => detector.literals))
  const rules = compileRules({ ...(user === 'hash' ? hashUsers(userKeys) : {}), ...fields })
  return {
    scan: (bytes, start, end) => (scan(bytes, start, end) | always) & features,
    features,
    active,
    dropsContent: content === 'drop',
    fields: rules,
    leavesPayloadsOut:
      content === 'drop' ||
      [...rules.exact.values()].some((chosen) => chosen !== 'keep') ||
      rules.patterns.some((rule) => rule.action !== 'keep') ||
      active.some((use) => use.action === 'hash'),
  }
}

const isPattern = ([name]: readonly [string, Action]) => name.includes('*')

function compileRules(fields: Readonly<Record<string, Action>>): FieldRules {
  const entries = Object.entries(fields)
  return {
    exact: new Map(entries.filter((entry) => !isPattern(entry))),
    patterns: entries
      .filter(isPattern)
      .map(([name, chosen]) => ({ name, matches: compileWildcard(name), action: chosen })),
  }
}

/** Rules for the field and for attributes that would have filled it, had no better one been there. */
function hashUsers(userKeys: readonly string[]): Readonly<Record<string, Action>> {
  const places = ['attributes', 'resource', 'content', 'events']
  const names = userKeys.flatMap((key) => places.map((place) => `${place}.${key}`))
  return Object.fromEntries(['user', ...names].map((name) => [name, 'hash'] as const))
}

interface Misplaced {
  readonly path: readonly string[]
  readonly message: string
}

function findMistakes(file: FileShape): readonly Misplaced[] {
  const names = new Set<string>(DETECTORS.map(({ name }) => name))
  const mistakes: Misplaced[] = []
  for (const [i, pattern] of file.patterns.entries()) {
    const path = ['patterns', String(i)]
    if (names.has(pattern.name)) {
      mistakes.push({ path: [...path, 'name'], message: `${pattern.name} is there already` })
    }
    names.add(pattern.name)
    try {
      createOwnDetector(pattern, FIRST_OWN_FEATURE)
    } catch (error) {
      if (!(error instanceof PatternError)) throw error
      mistakes.push({ path: [...path, 'pattern'], message: error.message })
    }
  }
  for (const [path, policy] of policiesOf(file)) {
    if (policy === 'off') continue
    for (const name of Object.keys(policy.detectors)) {
      if (names.has(name)) continue
      const message = `is no detector; there are ${[...names].join(', ')}`
      mistakes.push({ path: [...path, 'detectors', name], message })
    }
    for (const name of Object.keys(policy.fields)) {
      const message = mistakeOfField(name)
      if (message !== undefined) mistakes.push({ path: [...path, 'fields', name], message })
    }
  }
  return mistakes
}

function policiesOf(file: FileShape): readonly (readonly [readonly string[], PolicyShape])[] {
  const tenants = Object.entries(file.tenants).map(
    ([tenant, policy]) => [['tenants', tenant], policy] as const,
  )
  return [[['default'], file.default], ...tenants]
}

function mistakeOfField(name: string): string | undefined {
  if (FIXED.has(name)) return 'joins spans, and stays as it is'
  if (PREFIXES.some((prefix) => name.startsWith(prefix)) || name.includes('*')) return undefined
  if (FIELDS.has(name)) return undefined
  return `is no field; an attribute is ${PREFIXES.map((prefix) => `${prefix}<key>`).join(', ')}`
}

function hashes(file: FileShape): boolean {
  return policiesOf(file).some(
    ([, policy]) =>
      policy !== 'off' &&
      (policy.user === 'hash' ||
        Object.values(policy.detectors).includes('hash') ||
        Object.values(policy.fields).includes('hash')),
  )
}
