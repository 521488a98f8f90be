import type { Alert } from '#schemas/items.ts'

/** Which alerts a channel is told of: all parts must match, and an empty one matches everything. */
export interface Route {
  readonly severities: readonly string[]
  /** Patterns of a rule's name, or of its name and level: `budget/*`. `*` stands for any text. */
  readonly rules: readonly string[]
  /** Patterns of labels: each named one must match one of its patterns. */
  readonly labels: Readonly<Record<string, readonly string[]>>
  /** Patterns of the group's values, in the same way. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** Whether a route is for an alert. */
export function isFor(
  route: Route,
  alert: Pick<Alert, 'severity' | 'rule' | 'level' | 'labels' | 'group'>,
): boolean {
  const { severity, rule, level } = alert
  return (
    (route.severities.length === 0 || route.severities.includes(severity)) &&
    (route.rules.length === 0 ||
      matchesOne(route.rules, rule) ||
      matchesOne(route.rules, `${rule}/${level}`)) &&
    matchesAll(route.labels, alert.labels) &&
    matchesAll(route.groups, alert.group)
  )
}

function matchesAll(
  patterns: Readonly<Record<string, readonly string[]>>,
  texts: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(patterns).every(([name, allowed]) => {
    const text = texts[name]
    return text !== undefined && matchesOne(allowed, text)
  })
}

function matchesOne(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern, text))
}

/** Whether a text is what a pattern says; each `*` stands for any text, the empty one included. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === text
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
