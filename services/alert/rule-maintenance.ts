import { misshapen } from '#runtime/yaml.ts'
import { requireZone } from './rule-budget.ts'
import type { Place } from './rule-place.ts'
import { maintenanceShapes } from './rule-shape.ts'
import type { Maintenance } from './rule.ts'

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]

/** Stretches of time in which nobody is told: weekly ones from and until times of day, or single ones. */
export function readMaintenance(given: readonly unknown[], place: Place): readonly Maintenance[] {
  return given.flatMap((one, i) => {
    const at = place.at('maintenance', i)
    return isWeekly(one) ? readWeekly(one, at) : readOnce(one, at)
  })
}

function isWeekly(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false
  const isTimeOfDay = 'from' in given && /^\d{1,2}:\d{2}$/.test(String(given.from))
  return isTimeOfDay || 'days' in given || 'time_zone' in given
}

function readWeekly(given: unknown, place: Place): readonly Maintenance[] {
  const result = maintenanceShapes.weekly.safeParse(given)
  if (!result.success) return refuseAll(result.error, place)
  const { name, time_zone: timeZone, days = EVERY_DAY, from, until } = result.data
  requireZone(timeZone, place.at('time_zone'))
  if (from === until) place.at('until').refuse('must not be the same as from')
  const sorted = [...new Set(days)].toSorted((a, b) => a - b)
  return [{ name, timeZone, days: sorted, fromMinute: from, untilMinute: until }]
}

function readOnce(given: unknown, place: Place): readonly Maintenance[] {
  const result = maintenanceShapes.once.safeParse(given)
  if (!result.success) return refuseAll(result.error, place)
  const { name, from: fromMs, until: untilMs } = result.data
  if (fromMs >= untilMs) place.at('until').refuse('must be after from')
  return [{ name, timeZone: 'UTC', fromMs, untilMs }]
}

function refuseAll(error: Parameters<typeof misshapen>[0], place: Place): readonly Maintenance[] {
  for (const { path, message } of misshapen(error)) place.at(...path).refuse(message)
  return []
}
