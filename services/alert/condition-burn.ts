import { exactly, type Fraction, times, whole } from './condition-fraction.ts'
import { isExtensive, readMeasure, type Reading, scaled } from './condition-measure.ts'
import { isBeyond, toVerdict, type View } from './condition-view.ts'
import type { Burn, Verdict } from './rule.ts'

/**
 * Holds when both windows burn faster than the rate: the long one says that it matters, the short one
 * that it still goes on. A window without records burns nothing, so that what stops resolves; without
 * enough of them in the long window nothing is said. The value is the long window's burn rate.
 */
export function evaluateBurn(condition: Burn, view: View): Verdict {
  const { allowed, rate, longMs, shortMs } = condition
  const { endMs } = view
  const long = readWindow(condition, view, longMs)
  const short = readWindow(condition, view, shortMs)
  const isOver = (value: Fraction, windowMs: number) =>
    isBeyond(value, 'above', times(exactly(rate), allowedOver(condition, windowMs)))
  const isKnown = long.count >= view.minCount
  return toVerdict({
    holds: isKnown ? isOver(long.value, longMs) && isOver(short.value, shortMs) : undefined,
    // With nothing allowed, any burn rate is without bounds.
    value: allowed > 0 ? over(long.value, allowedOver(condition, longMs)) : undefined,
    threshold: exactly(rate),
    count: long.count,
    window: { startMs: endMs - longMs, endMs },
    unit: 'x',
  })
}

function readWindow(
  { measure }: Burn,
  { endMs, historyOf }: View,
  windowMs: number,
): Reading & { readonly value: Fraction } {
  const history = historyOf(measure.series)
  const { count, value = whole(0) } = readMeasure(measure, history, endMs - windowMs, endMs)
  return { count, value }
}

/** What may be spent in a window, to burn at a rate of 1. */
function allowedOver({ measure, allowed, periodMs }: Burn, windowMs: number): Fraction {
  const share = exactly(allowed)
  return isExtensive(measure.read) ? scaled(share, windowMs, periodMs) : share
}

function over(a: Fraction, b: Fraction): Fraction {
  return { num: a.num * b.den, den: a.den * b.num }
}
