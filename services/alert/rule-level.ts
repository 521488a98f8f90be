import type { Condition, Rule, Severity } from './rule.ts'

/** One level of a rule: what becomes a rule of its own. */
export interface Level {
  /** Empty for a rule that has one alone. */
  readonly level: string
  readonly severity: Severity
  readonly condition: Condition
  /** Levels that keep this one quiet. */
  readonly inhibitedBy: readonly string[]
}

export function idOf(name: Rule['name'], level: string): string {
  return level === '' ? name : `${name}/${level}`
}

/** A rule that has one level alone goes by its name. */
export function named(levels: readonly Level[]): readonly Level[] {
  return levels.length === 1 ? levels.map((level) => ({ ...level, level: '' })) : levels
}
