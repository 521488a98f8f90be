import { formatDuration } from './duration.ts'
import { describeQuantity, parseNumber, parsePercent, parseQuantity, tidy } from './quantities.ts'
import { type Level, named } from './rule-level.ts'
import { type Counted, type Keeping, toMeasure } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import type { BurnData } from './rule-shape.ts'
import type { Severity } from './rule.ts'

type LevelData = Exclude<BurnData['levels'], undefined>[number]

/**
 * Levels for a period of 30 days: two that wake somebody, and two that can wait until the morning. The
 * figures are those of the Google SRE workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
const LEVELS: readonly LevelData[] = [
  { rate: '14.4', long: '1h', short: '5m', severity: 'critical' },
  { rate: '6', long: '6h', short: '30m', severity: 'critical' },
  { rate: '3', long: '1d', short: '2h', severity: 'warning' },
  { rate: '1', long: '3d', short: '6h', severity: 'warning' },
]

/** Windows that a burn rate is read over, as far as they can be read. */
export function burnWindows(burn: BurnData): readonly string[] {
  return (burn.levels ?? LEVELS).flatMap(({ long, short }) => [long, short])
}

/** A level for each burn rate; a faster one keeps the slower ones quiet. */
export function readBurn(
  burn: BurnData,
  counted: Counted,
  keeping: Keeping,
  severity: Severity,
  place: Place,
): readonly Level[] {
  const allowed = readAllowed(burn, counted, place)
  const periodMs = place.at('period').duration(burn.period)
  const given = (burn.levels ?? LEVELS).map((level, i) => {
    const at = place.at('levels', i)
    const rate = at.at('rate').number(parseNumber(level.rate), level.rate, 'a number such as 14.4')
    const longMs = at.at('long').duration(level.long)
    const shortMs = at.at('short').duration(level.short)
    if (shortMs >= longMs) at.at('short').refuse('must be shorter than long')
    if (longMs > periodMs) at.at('long').refuse(`is longer than ${formatDuration(periodMs)}`)
    if (rate === 0) at.at('rate').refuse('must be above 0')
    if (burn.objective !== undefined && rate * allowed >= 1) {
      at.refuse(`can never hold: ${rate} times what the objective allows is more than all`)
    }
    return { rate, longMs, shortMs, severity: level.severity ?? severity }
  })
  const rates = given.map(({ rate }) => rate)
  if (new Set(rates).size < rates.length) place.at('levels').refuse('has a rate twice')
  return named(
    given.map(({ severity: own, ...windows }) => ({
      level: nameOf(windows.rate),
      severity: own,
      condition: {
        type: 'burn',
        measure: toMeasure(counted, keeping),
        allowed,
        periodMs,
        ...windows,
      },
      inhibitedBy: rates
        .filter((other) => other > windows.rate)
        .toSorted((a, b) => b - a)
        .map(nameOf),
    })),
  )
}

function nameOf(rate: number): string {
  return `${rate}x`
}

/** The share that may be bad, or the amount that may be spent. */
function readAllowed({ objective, budget }: BurnData, counted: Counted, place: Place): number {
  if ((objective === undefined) === (budget === undefined)) {
    place.refuse('needs either an objective, such as 99.9%, or a budget, such as 3000 USD')
    return Number.NaN
  }
  const { read, unit } = counted
  if (objective !== undefined) {
    if (read.type !== 'rate')
      place.at('objective').refuse('belongs to the metrics rate and error_rate')
    const share = parsePercent(objective)
    const isShare = share !== undefined && share > 0 && share < 1
    const what = 'a percentage above 0% and below 100%, such as 99.9%'
    return tidy(1 - place.at('objective').number(isShare ? share : undefined, objective, what))
  }
  if (read.type !== 'sum' && read.type !== 'count') {
    place.at('budget').refuse('belongs to the metrics sum(…) and count')
    return Number.NaN
  }
  const text = budget ?? ''
  const amount = parseQuantity(text, unit)
  const isAmount = amount !== undefined && amount > 0
  const at = place.at('budget')
  return at.number(isAmount ? amount : undefined, text, `above 0, or not ${describeQuantity(unit)}`)
}
