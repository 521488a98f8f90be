import { IANAZone } from 'luxon'
import { isExtensive } from './condition-measure.ts'
import { describeQuantity, parsePercent, parseQuantity, tidy } from './quantities.ts'
import { type Level, named } from './rule-level.ts'
import { type Counted, type Keeping, toMeasure } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import type { BudgetData } from './rule-shape.ts'
import type { Budget, Period, Severity } from './rule.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Zones with such offsets count in buckets of a quarter: then periods start where a bucket does. */
const QUARTER_MS = 15 * MINUTE_MS
/** Months whose offsets are looked at: those that records may be of. */
const FIRST_YEAR = 2000
const LAST_YEAR = 2040
const DAYS_OF_WEEK = 7

type PartData = Exclude<BudgetData['projected'], undefined>

/** Length of a bucket, and of a step: both start where periods of all zones of the budget may. */
export function budgetStep({ period, time_zone, overrides }: BudgetData): number {
  if (period === 'hour') return MINUTE_MS
  const zones = [time_zone, ...overrides.flatMap((override) => override.time_zone ?? [])]
  return zones.some(hasQuarters) ? QUARTER_MS : HOUR_MS
}

function hasQuarters(timeZone: string): boolean {
  if (!IANAZone.isValidZone(timeZone)) return false
  const zone = IANAZone.create(timeZone)
  for (let month = FIRST_YEAR * 12; month < LAST_YEAR * 12; month++) {
    if (zone.offset(Date.UTC(Math.floor(month / 12), month % 12)) % 60 !== 0) return true
  }
  return false
}

/**
 * A level for each part of the limit, and one for what the period will have come to. A larger part
 * keeps the smaller ones quiet, and the projection as soon as it has come true.
 */
export function readBudget(
  budget: BudgetData,
  counted: Counted,
  keeping: Keeping,
  severity: Severity,
  place: Place,
): readonly Level[] {
  if (!isExtensive(counted.read)) {
    place.refuse('belongs to the metrics sum(…) and count')
  }
  const { projected, at = projected === undefined ? [{ part: '100%', severity }] : [] } = budget
  const parts = at.map((given, i) => readPart(given, severity, place.at('at', i)))
  if (new Set(parts.map(({ part }) => part)).size < parts.length) {
    place.at('at').refuse('has a part twice')
  }
  if (parts.length === 0 && projected === undefined) place.at('at').refuse('needs a part')
  const base = {
    type: 'budget',
    measure: toMeasure(counted, keeping),
    ...readLimits(budget, counted, keeping, place),
  } as const
  // None keeps another quiet: which part was seen first hangs on how records were put together.
  const levels: Level[] = parts.map(({ part, severity: own }) => ({
    level: nameOf(part),
    severity: own,
    condition: { ...base, part, isProjected: false },
    inhibitedBy: [],
  }))
  if (projected !== undefined) {
    const { part, severity: own } = readPart(projected, severity, place.at('projected'))
    const condition: Budget = { ...base, part, isProjected: true }
    levels.push({ level: 'projected', severity: own, condition, inhibitedBy: [] })
  }
  return named(levels)
}

function nameOf(part: number): string {
  return `${tidy(part * 100)}%`
}

function readPart(
  { part, severity }: PartData,
  otherwise: Severity,
  place: Place,
): { readonly part: number; readonly severity: Severity } {
  const share = parsePercent(part)
  const isPart = share !== undefined && share > 0
  const value = place.number(isPart ? share : undefined, part, 'a percentage above 0%, such as 80%')
  return { part: value, severity: severity ?? otherwise }
}

function readLimits(
  budget: BudgetData,
  { unit }: Counted,
  { by }: Keeping,
  place: Place,
): Pick<Budget, 'limit' | 'period' | 'overrides'> {
  const readLimit = (text: string, at: Place) =>
    at.number(parseQuantity(text, unit), text, describeQuantity(unit))
  const limit = readLimit(budget.limit, place.at('limit'))
  const { time_zone: timeZone, cycle_day: cycleDay = 1 } = budget
  const period: Period = { unit: budget.period, timeZone, cycleDay }
  requirePeriod(period, place)
  const overrides = budget.overrides.map((own, i) => {
    const at = place.at('overrides', i)
    for (const dimension of Object.keys(own.match)) {
      if (!by.includes(dimension)) at.at('match', dimension).refuse('is not in by')
    }
    if (Object.keys(own.match).length === 0) at.at('match').refuse('matches everything')
    // What is taken from the rule was looked at there.
    requirePeriod({ ...period, timeZone: own.time_zone ?? 'UTC', cycleDay: own.cycle_day ?? 1 }, at)
    return {
      match: own.match,
      limit: own.limit === undefined ? limit : readLimit(own.limit, at.at('limit')),
      period: {
        ...period,
        timeZone: own.time_zone ?? timeZone,
        cycleDay: own.cycle_day ?? cycleDay,
      },
    }
  })
  return { limit, period, overrides }
}

function requirePeriod({ unit, timeZone, cycleDay }: Period, place: Place): void {
  requireZone(timeZone, place.at('time_zone'))
  if (cycleDay !== 1 && unit !== 'week' && unit !== 'month') {
    place.at('cycle_day').refuse(`belongs to a week or a month, not to a ${unit}`)
  }
  if (unit === 'week' && cycleDay > DAYS_OF_WEEK) {
    place.at('cycle_day').refuse('is a day of the week: 1 (Monday) to 7')
  }
}

export function requireZone(timeZone: string, place: Place): void {
  if (IANAZone.isValidZone(timeZone)) return
  place.refuse(`"${timeZone}" is not a time zone such as UTC or Europe/Berlin`)
}
