import { readFileSync } from 'node:fs'
import type { Alert } from '../../../schemas/items.ts'
import { parseRuleFiles, shippedRuleFiles } from '../../../services/alert/rule-file.ts'
import { shareSeries } from '../../../services/alert/rule-series.ts'
import type { RuleSet } from '../../../services/alert/rule.ts'
import { AlertLab, type LabRecord, scoreRow, spanRow } from '../../support/alert-lab.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** A Monday, at the start of a month of 30 days. */
export const START = Date.parse('2026-06-01T00:00:00Z')

const SHIPPED = shippedRuleFiles().map((file) => ({ file, text: readFileSync(file, 'utf8') }))

/** The rules that ship, and those of a user's file. */
export function shippedRules(own = ''): RuleSet {
  return parseRuleFiles([...SHIPPED, ...(own === '' ? [] : [{ file: 'own.yaml', text: own }])])
}

/** One of them, with what it counts: no rule sees another. */
export function onlyRule(name: string, own = ''): RuleSet {
  const all = shippedRules(own)
  const rules = all.rules.filter((rule) => rule.name === name)
  if (rules.length === 0) throw new Error(`no rule ${name} ships`)
  return { ...all, ...shareSeries(rules) }
}

/** Incidents that a rule makes of records, by when time has come to an end: reminders are left out. */
export function alertsOf(
  rule: string,
  records: readonly LabRecord[],
  untilMs: number,
  own = '',
): readonly Alert[] {
  const lab = new AlertLab(onlyRule(rule, own))
  lab.sendByMinute(records)
  lab.reach(untilMs)
  return lab.alerts.filter(
    ({ state, previous_state: before }) =>
      state !== before && ['firing', 'resolved'].includes(state),
  )
}

/** What alerts say, as `state level`. */
export const statesOf = (alerts: readonly Alert[]) =>
  alerts.map(({ state, level }) => (level === '' ? state : `${state} ${level}`))

/** Minutes from a time to each alert. */
export const minutesOf = (alerts: readonly Alert[], sinceMs: number) =>
  alerts.map(({ time_unix_nano: time }) => (Number(time / 1_000_000n) - sinceMs) / MINUTE)

/** Times in a stretch of time, `stepMs` apart. */
export function every(stepMs: number, fromMs: number, toMs: number): readonly number[] {
  return Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs)
}

/** A call that costs so much. */
export function spend(
  atMs: number,
  usd: number,
  texts: Readonly<Record<string, string>> = {},
): LabRecord {
  return spanRow(atMs, {
    texts: { tenant: 'acme', feature: 'search', ...texts },
    values: { cost: BigInt(Math.round(usd * 1e6)) * 1_000_000n },
  })
}

/** So many calls of one minute, of which the first `odd` are otherwise. */
export function calls(
  atMs: number,
  count: number,
  usual: Parameters<typeof spanRow>[1] = {},
  odd = 0,
  other: Parameters<typeof spanRow>[1] = usual,
): readonly LabRecord[] {
  const stepMs = Math.floor(MINUTE / count)
  return Array.from({ length: count }, (_, i) =>
    spanRow(atMs + i * stepMs, i < odd ? other : usual),
  )
}

/** So many equal scores within a stretch of time. */
export function scores(
  fromMs: number,
  toMs: number,
  count: number,
  score: number,
  texts: Readonly<Record<string, string>> = {},
): readonly LabRecord[] {
  const stepMs = (toMs - fromMs) / count
  return Array.from({ length: count }, (_, i) =>
    scoreRow(Math.floor(fromMs + i * stepMs), score, { feature: 'search', ...texts }),
  )
}

export const takes = (seconds: number) => ({ values: { duration: Math.round(seconds * 1e9) } })
export const fails = (errorType = 'timeout') => ({ texts: { error_type: errorType } })
