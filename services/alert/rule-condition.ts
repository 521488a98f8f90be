import { readBudget } from './rule-budget.ts'
import { readBurn } from './rule-burn.ts'
import { readComparison } from './rule-comparison.ts'
import type { Level } from './rule-level.ts'
import { type Counted, type Keeping, readCounted } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import type { ComparisonData, MeasuredData, PartData, RuleData } from './rule-shape.ts'
import type { Condition, Rule } from './rule.ts'

/** What a rule looks at: its levels, and what the first of its parts counts, which its alerts tell of. */
export interface Levels {
  readonly first: Counted | undefined
  readonly levels: readonly Level[]
  readonly sources: Rule['sources']
}

/** Reads the condition of a rule, of whatever kind it is. */
export function readLevels(data: RuleData, keeping: Keeping, place: Place): Levels {
  const { condition, severity } = data
  const at = place.at('condition')
  if (condition.all !== undefined) return readAll(data, condition.all, keeping, at.at('all'))
  const first = readCounted(data, place)
  const sources = [data.source]
  if (first === undefined) {
    readWindow(data, place)
    return { first, levels: [], sources }
  }
  if (condition.burn !== undefined) {
    const levels = readBurn(condition.burn, first, keeping, severity, at.at('burn'))
    return { first, levels, sources }
  }
  if (condition.budget !== undefined) {
    const levels = readBudget(condition.budget, first, keeping, severity, at.at('budget'))
    return { first, levels, sources }
  }
  const compared = readCompared({ ...data, counted: first }, keeping, place)
  return { first, levels: compared === undefined ? [] : [only(compared, severity)], sources }
}

function only(condition: Condition, severity: Level['severity']): Level {
  return { level: '', severity, condition, inhibitedBy: [] }
}

function readCompared(
  data: {
    readonly window?: RuleData['window']
    readonly condition: ComparisonData
    readonly counted: Counted
  },
  keeping: Keeping,
  place: Place,
): Condition | undefined {
  const windowMs = readWindow(data, place)
  if (data.window === undefined) place.refuse('needs a window, such as 5m')
  return readComparison({ ...data, windowMs }, keeping, place.at('condition'))
}

function readWindow({ window }: Pick<RuleData, 'window'>, place: Place): number {
  return window === undefined ? Number.NaN : place.at('window').duration(window)
}

function readAll(
  { severity }: RuleData,
  parts: readonly PartData[],
  keeping: Keeping,
  place: Place,
): Levels {
  const read = parts.map((part, i) => readPart(part, keeping, place.at(i)))
  if (parts[0]?.not !== undefined) {
    place.at(0).refuse('must not be a not: the first part is what the alert tells of')
  }
  const conditions = read.flatMap(({ condition }) => condition ?? [])
  const sources = [...new Set(read.map(({ source }) => source))]
  return {
    first: read[0]?.counted,
    levels: [only({ type: 'all', conditions }, severity)],
    sources,
  }
}

function readPart(
  part: PartData,
  keeping: Keeping,
  place: Place,
): {
  readonly source: MeasuredData['source']
  readonly counted: Counted | undefined
  readonly condition: Condition | undefined
} {
  const { not, condition } = part
  if (not !== undefined) {
    const others = [part.metric, part.bad, part.window, condition, ...Object.keys(part.where)]
    if (others.some((other) => other !== undefined) || part.source !== 'spans') {
      place.refuse('is either a part or a not')
    }
    const inner = readPart({ ...not, not: undefined }, keeping, place.at('not'))
    const negated = inner.condition
    return { ...inner, condition: negated && { type: 'not', condition: negated } }
  }
  const { source } = part
  const counted = readCounted(part, place)
  if (condition === undefined) place.refuse('needs a condition')
  const { window } = part
  if (counted === undefined || condition === undefined) {
    readWindow(part, place)
    return { source, counted, condition: undefined }
  }
  return {
    source,
    counted,
    condition: readCompared({ window, condition, counted }, keeping, place),
  }
}
