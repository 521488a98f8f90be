import type { KeyObject } from 'node:crypto'
import type { Detector } from './detector.ts'
import type { ScanFeatures } from './feature-scan.ts'

/** What is done with a match or a field: a word in its place, a hash in its place, nothing in its place, or nothing. */
export type Action = 'mask' | 'hash' | 'drop' | 'keep'

/** What is done with whole fields by their names, instead of a look at what they hold. */
export interface FieldRules {
  /** By names: those of span.avsc, and `attributes.<key>`, `resource.<key>`, `events.<key>` and the like. */
  readonly exact: ReadonlyMap<string, Action>
  /** For names that are not among them; the first that fits counts. */
  readonly patterns: readonly FieldPattern[]
}

/** A rule for all names that a pattern with stars fits. */
export interface FieldPattern {
  readonly name: string
  readonly matches: (name: string) => boolean
  readonly action: Action
}

/** A detector that a policy uses, and what it does with matches. */
export interface ActiveDetector {
  readonly detector: Detector
  readonly action: Exclude<Action, 'keep'>
}

/** What is done with the spans, scores and dead letters of a tenant. */
export interface Policy {
  /** Says which features a string has, among those that the detectors ask for. */
  readonly scan: ScanFeatures
  /** Every feature that one of the detectors asks for. */
  readonly features: number
  readonly active: readonly ActiveDetector[]
  readonly dropsContent: boolean
  readonly fields: FieldRules
  /** Whether masking alone cannot do what the policy asks for, so that bytes that were refused are left out. */
  readonly leavesPayloadsOut: boolean
}

/** The policies of all tenants, and the key of their hashes. */
export interface Policies {
  /** Undefined: this tenant's data is left as it came. */
  policyOf(tenant: string): Policy | undefined
  readonly key: KeyObject | undefined
}

/** What the rules say of a field, if they do. */
export function actionFor({ exact, patterns }: FieldRules, name: string): Action | undefined {
  return exact.get(name) ?? patterns.find(({ matches }) => matches(name))?.action
}
