import { describeQuantity, parsePercent, parseQuantity, parseTimes, tidy } from './quantities.ts'
import { type Counted, type Keeping, toMeasure } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import type { ComparisonData } from './rule-shape.ts'
import type { Baseline, Condition, Direction } from './rule.ts'

export interface ComparisonInput {
  readonly condition: ComparisonData
  readonly counted: Counted
  readonly windowMs: number
}

const FORMS = ['above', 'below', 'up', 'down'] as const
/** Fewer records before say little about what is usual. */
const DEFAULT_BASELINE_COUNT = 20

/** A value against a limit, or against its own baseline; undefined where it is neither. */
export function readComparison(
  { condition, counted, windowMs }: ComparisonInput,
  keeping: Keeping,
  place: Place,
): Condition | undefined {
  const given = FORMS.filter((form) => condition[form] !== undefined)
  const [form] = given
  if (form === undefined || given.length > 1) {
    place.refuse('needs one of above and below, or with a baseline up or down')
    return undefined
  }
  const direction: Direction = form === 'above' || form === 'up' ? 'above' : 'below'
  if (condition.baseline !== undefined) {
    const limits = readTimes(condition, form, place)
    requireGoodSide(direction, limits.times, limits.resolveTimes, place)
    const baseline = readBaseline(condition.baseline, counted, place.at('baseline'))
    return {
      type: 'baseline',
      measure: toMeasure(counted, keeping),
      windowMs,
      direction,
      ...limits,
      baseline,
      floor: readFloor(condition.floor, counted, place),
    }
  }
  if (condition.floor !== undefined) place.at('floor').refuse('belongs to a baseline')
  if (form === 'up' || form === 'down') {
    place.at(form).refuse(`needs a baseline that it is ${form} from`)
    return undefined
  }
  const limit = readQuantity(condition[form] ?? '', counted, place.at(form))
  const { resolve } = condition
  const resolveLimit =
    resolve === undefined ? limit : readQuantity(resolve, counted, place.at('resolve'))
  requireGoodSide(direction, limit, resolveLimit, place)
  const measure = toMeasure(counted, keeping)
  return { type: 'threshold', measure, windowMs, direction, limit, resolveLimit }
}

function readQuantity(text: string, { unit }: Counted, place: Place): number {
  const isTimes = parseTimes(text) !== undefined
  const hint = isTimes ? '; so many times of what needs a baseline' : ''
  return place.number(parseQuantity(text, unit), text, describeQuantity(unit) + hint)
}

function readFloor(text: string | undefined, counted: Counted, place: Place): number {
  return text === undefined ? 0 : readQuantity(text, counted, place.at('floor'))
}

/** `above: 2x`, or `down: 10%`, which is below 0.9x. */
function readTimes(
  condition: ComparisonData,
  form: (typeof FORMS)[number],
  place: Place,
): { readonly times: number; readonly resolveTimes: number } {
  const { resolve } = condition
  const read = (text: string, at: Place) => {
    if (form === 'above' || form === 'below') {
      return at.number(parseTimes(text), text, 'so many times the baseline, such as 2x')
    }
    const share = at.number(parsePercent(text), text, 'a percentage of the baseline, such as 10%')
    if (form === 'down' && share > 1) at.refuse('nothing goes down by more than 100%')
    return tidy(form === 'up' ? 1 + share : 1 - share)
  }
  const times = read(condition[form] ?? '', place.at(form))
  return {
    times,
    resolveTimes: resolve === undefined ? times : read(resolve, place.at('resolve')),
  }
}

function requireGoodSide(
  direction: Direction,
  limit: number,
  resolveLimit: number,
  place: Place,
): void {
  const isWrong = direction === 'above' ? resolveLimit > limit : resolveLimit < limit
  if (isWrong) place.at('resolve').refuse('would resolve what still holds')
}

function readBaseline(
  { trailing, warmup, min_count, first }: Exclude<ComparisonData['baseline'], undefined>,
  { read }: Counted,
  place: Place,
): Baseline['baseline'] {
  if ((trailing === undefined) === (first === undefined)) {
    place.refuse('needs either trailing or first')
  }
  if (first !== undefined) {
    if (warmup !== undefined) place.at('warmup').refuse('belongs to trailing')
    if (min_count !== undefined) place.at('min_count').refuse('belongs to trailing')
    if (read.type !== 'mean' && read.type !== 'rate') {
      place.at('first').refuse('is a mean, and can only be compared with a mean or a rate')
    }
    return { type: 'first', count: first }
  }
  const overMs = trailing === undefined ? Number.NaN : place.at('trailing').duration(trailing)
  const warmupMs = warmup === undefined ? overMs : place.at('warmup').duration(warmup)
  const minCount = min_count ?? DEFAULT_BASELINE_COUNT
  return { type: 'trailing', overMs, warmupMs, minCount }
}
