import { describe, expect, test } from 'vitest'
import { AlertLab, type LabRecord, scoreRow, spanRow } from '../../support/alert-lab.ts'
import { createRandom } from '../random.ts'
import { calls, every, HOUR, MINUTE, shippedRules, START } from './shipped-lab.ts'

/** All rules that ship, together. */
const RULES = shippedRules()

const seconds = (value: number) => Math.round(value * 1e9)
const system = (observation: string, texts: Readonly<Record<string, string>>, value: number) => ({
  texts: { observation, group: '', topic: '', ...texts },
  values: { gauge: Math.round(value * 1_000) },
})
const HEALTH = [
  system('lag', { group: 'enrich', topic: 'spans' }, 250),
  system('watermark_lag', { topic: 'spans' }, 32),
  system('watermark_lag', { topic: 'evaluations' }, 45),
  system('price_list_age', { topic: 'genai-prices@0.1.8' }, 20),
  system('groups_overflow', {}, 0),
]

/** An app as it mostly is: a call in four hundred fails, some are slow, some cost more, most answers pass. */
function healthy(fromMs: number, toMs: number, seed: number): readonly LabRecord[] {
  const random = createRandom(seed)
  const traffic = every(2_000, fromMs, toMs).map((atMs, i) => {
    const texts = {
      tenant: random.pick(['acme', 'globex']),
      feature: random.pick(['search', 'chat']),
      model: random.pick(['gpt-4o', 'claude-sonnet-4-5']),
      user: `user ${random.whole(1, 500)}`,
      service: 'api',
      environment: 'production',
      ...(i % 400 === 7 ? { error_type: random.pick(['timeout', 'rate_limit']) } : {}),
    }
    const duration = seconds(0.4 + 2.5 * random.next() + (i % 50 === 3 ? 8 : 0))
    const cost = BigInt(random.whole(100, 6_000)) * 1_000_000n
    return spanRow(atMs, { texts, values: { duration, cost }, traceId: String(i) })
  })
  const scores = every(5_000, fromMs, toMs).map((atMs) =>
    scoreRow(atMs, random.next() < 0.9 ? 1 : 0.4, {
      feature: random.pick(['search', 'chat']),
      dimension: random.pick(['relevance', 'safety']),
      user_tier: random.pick(['free', 'paid']),
      use_case: random.pick(['', 'critical']),
    }),
  )
  const health = every(10_000, fromMs, toMs).flatMap((eventMs) =>
    HEALTH.map((one) => ({ source: 'system', eventMs, traceId: '', ...one }) as const),
  )
  return [...traffic, ...scores, ...health]
}

const told = (lab: AlertLab) =>
  lab.alerts.map(({ rule, level, state }) => `${rule} ${level} ${state}`)

describe('All rules that ship', () => {
  test('say nothing of a healthy hour', () => {
    const lab = new AlertLab(RULES)
    lab.sendByMinute(healthy(START, START + HOUR, 1))
    lab.reach(START + HOUR)
    expect(told(lab).filter((text) => !text.includes('pending'))).toEqual([])
  })

  test('say nothing of the hour in which a young installation goes on, nor of the silence after it', () => {
    const lab = new AlertLab(RULES)
    lab.sendByMinute(healthy(START, START + 3 * HOUR, 2))
    lab.reach(START + 12 * HOUR)
    expect(told(lab).filter((text) => !/pending|inactive/.test(text))).toEqual([])
  })

  test('do speak where that hour is not healthy', () => {
    const lab = new AlertLab(RULES)
    const slow = every(MINUTE, START, START + HOUR).flatMap((atMs) =>
      calls(atMs, 20, { texts: { model: 'gpt-4o' }, values: { duration: seconds(30) } }),
    )
    lab.sendByMinute([...healthy(START, START + HOUR, 3), ...slow])
    lab.reach(START + HOUR)
    const rules = new Set(lab.alerts.filter(({ state }) => state === 'firing').map((a) => a.rule))
    expect([...rules].toSorted()).toEqual(['latency-p95', 'latency-p95-critical', 'slo-latency'])
  })
})
