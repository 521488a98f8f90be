import type { ConditionFile } from './dialect-file.ts'

/** What a condition may ask about a span. */
export interface Facts {
  /** Text of an attribute of the span, undefined where it has none. */
  attribute(key: string): string | undefined
  resource(key: string): string | undefined
  /** Text of a field that is filled. */
  field(name: string): string | undefined
  readonly scopeName: string
  readonly scopeVersion: string
}

/** Whether something holds of a span. */
export type Condition = (facts: Facts) => boolean

/** One test of all conditions together; none hold always. Throws for a version that cannot be compared. */
export function compileConditions(conditions: readonly ConditionFile[]): Condition {
  const tests = conditions.map(compileCondition)
  return (facts) => tests.every((test) => test(facts))
}

function compileCondition(condition: ConditionFile): Condition {
  const { is, prefix, contains, version } = condition
  const versionHolds = version === undefined ? undefined : compileVersion(version)
  const subject = subjectOf(condition)
  return (facts) => {
    const text = subject(facts)
    if (text === undefined) return false
    return (
      (is === undefined || is.includes(text)) &&
      (prefix === undefined || text.startsWith(prefix)) &&
      (contains === undefined || text.includes(contains)) &&
      (versionHolds === undefined ||
        versionHolds(condition.scope === undefined ? text : facts.scopeVersion))
    )
  }
}

/** A scope is asked for by name: `{ scope: x }` alone means that its name begins with x. */
function subjectOf({ attribute, resource, field, scope }: ConditionFile) {
  return (facts: Facts): string | undefined => {
    if (attribute !== undefined) return facts.attribute(attribute)
    if (resource !== undefined) return facts.resource(resource)
    if (field !== undefined) return facts.field(field)
    return scope !== undefined && facts.scopeName.startsWith(scope) ? facts.scopeName : undefined
  }
}

const VERSION = /(\d+)(?:\.(\d+))?(?:\.(\d+))?/
const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
  '=': (order) => order === 0,
}

/** A range such as `>=5 <6.1.0`; the first number of a text is its version, a text without one is in no range. */
function compileVersion(range: string): (text: string) => boolean {
  const bounds = range
    .trim()
    .split(/\s+/)
    .map((bound) => {
      const [, operator = '', version = ''] = /^(<=|>=|<|>|=)(.+)$/.exec(bound) ?? []
      const holds = COMPARISONS[operator]
      const limit = parseVersion(version)
      if (holds === undefined || limit === undefined) {
        throw new Error(`a version is compared as in '>=5 <6.1.0', not as in '${range}'`)
      }
      return { holds, limit }
    })
  return (text) => {
    const version = parseVersion(text)
    if (version === undefined) return false
    return bounds.every(({ holds, limit }) => holds(compare(version, limit)))
  }
}

function parseVersion(text: string): readonly number[] | undefined {
  const found = VERSION.exec(text)
  return found === null ? undefined : found.slice(1, 4).map((part) => Number(part ?? 0))
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}
