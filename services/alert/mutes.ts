import { IANAZone } from 'luxon'
import type { Maintenance, Rule } from './rule.ts'
import { isSilenced, type Silence } from './silence.ts'
import { findChange, offsetMs, weekdayOf } from './time-zone.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** No clock is put back by more, and none is put back twice within so long. */
const MAX_BACK_MS = 3 * 60 * MINUTE_MS

/**
 * Why channels are not told of a rule for a group at a time: `silence:<id>`, `maintenance:<name>` or
 * `inhibited:<level>`, by which a worse level of the same rule fires; empty where they are told.
 */
export function mutedBy(
  rule: Rule,
  group: Readonly<Record<string, string>>,
  timeMs: number,
  silences: readonly Silence[],
  isFiring: (ruleId: string) => boolean,
): string {
  const silence = isSilenced(silences, rule, group, timeMs)
  if (silence !== '') return `silence:${silence}`
  const maintenance = rule.maintenance.find((one) => isMaintained(one, timeMs))
  if (maintenance !== undefined) return `maintenance:${maintenance.name}`
  const worse = rule.inhibitedBy.find(isFiring)
  return worse === undefined ? '' : `inhibited:${levelOf(rule, worse)}`
}

function levelOf({ name }: Rule, id: string): string {
  return id.startsWith(`${name}/`) ? id.slice(name.length + 1) : id
}

function isMaintained(maintenance: Maintenance, timeMs: number): boolean {
  const { fromMs, untilMs } = maintenance
  if (fromMs !== undefined && untilMs !== undefined) return fromMs <= timeMs && timeMs < untilMs
  return isWeekly(maintenance, timeMs)
}

/**
 * Whether a weekly stretch is on. It is on from the first time that the clocks show its start to the
 * last time that they show its end: where they are put back in its midst it is one stretch, longer by
 * as much, and where they skip its start it begins as they go on.
 */
function isWeekly(
  { timeZone, days = [], fromMinute = 0, untilMinute = 0 }: Maintenance,
  timeMs: number,
): boolean {
  const { latestMs, earliestMs } = shownAround(IANAZone.create(timeZone), timeMs)
  const lengthMinutes =
    untilMinute - fromMinute + (untilMinute > fromMinute ? 0 : DAY_MS / MINUTE_MS)
  const today = Math.floor(latestMs / DAY_MS)
  // One that began yesterday may last until now, and one more day where clocks are put back at midnight.
  for (const date of [today, today - 1, today - 2]) {
    const startMs = date * DAY_MS + fromMinute * MINUTE_MS
    const endMs = startMs + lengthMinutes * MINUTE_MS
    if (days.includes(weekdayOf(date)) && startMs <= latestMs && earliestMs < endMs) return true
  }
  return false
}

/**
 * The latest that the clocks have shown until a time and the earliest that they will show from it on,
 * in milliseconds of local time. Both are what they show, but around where they are put back.
 */
function shownAround(
  zone: IANAZone,
  timeMs: number,
): { readonly latestMs: number; readonly earliestMs: number } {
  const shownMs = timeMs + offsetMs(zone, timeMs)
  const before = putBack(zone, timeMs - MAX_BACK_MS, timeMs)
  const after = putBack(zone, timeMs, timeMs + MAX_BACK_MS)
  return {
    latestMs: before === undefined ? shownMs : Math.max(shownMs, before.lastMs),
    earliestMs: after === undefined ? shownMs : Math.min(shownMs, after.firstMs),
  }
}

/** What the clocks show last before they are put back in from..to, and first after it, if they are. */
function putBack(
  zone: IANAZone,
  fromMs: number,
  toMs: number,
): { readonly lastMs: number; readonly firstMs: number } | undefined {
  const [before, after] = [offsetMs(zone, fromMs), offsetMs(zone, toMs)]
  const changeMs = after < before ? findChange(zone, fromMs, toMs) : undefined
  if (changeMs === undefined) return undefined
  return { lastMs: changeMs - 1 + before, firstMs: changeMs + after }
}
