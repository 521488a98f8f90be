import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseRuleFiles, shippedRuleFiles } from '../../services/alert/rule-file.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import { AlertLab, type LabRecord, spanRow } from '../support/alert-lab.ts'
import { HOUR, MINUTE } from './rule-texts.ts'

const NAME = 'user-spend-hour'
const NOON = Date.parse('2026-06-17T12:00:00Z')
const PICO_PER_CENT = 10_000_000_000n
const MODELS = ['gpt-4o', 'claude'] as const

/** The rule that ships, alone; with room for fewer users where that is asked for. */
function shippedRule(maxGroups = 100_000): RuleSet {
  const files = shippedRuleFiles().map((file) => {
    const text = readFileSync(file, 'utf8').replace('max_groups: 20000', `max_groups: ${maxGroups}`)
    return { file, text }
  })
  const names = new Set(parseRuleFiles(files).rules.map(({ name }) => name))
  names.delete(NAME)
  const text = `disable: [${[...names].join(', ')}]`
  return parseRuleFiles([...files, { file: 'alone.yaml', text }])
}

function callOf(user: number, timeMs: number, cents: number): LabRecord {
  return spanRow(timeMs, {
    traceId: `trace-of-${user}-at-${timeMs}`,
    texts: { tenant: 'acme', user: `user-${user}`, model: MODELS[user % 2] ?? MODELS[0] },
    values: { cost: BigInt(cents) * PICO_PER_CENT },
  })
}

describe('Of 10,000 users, one spends more than 5 USD within an hour', () => {
  const USERS = 10_000
  const CALLS = 6
  const OVER = 4_242
  const lab = new AlertLab(shippedRule())

  beforeAll(() => {
    for (let call = 0; call < CALLS; call++) {
      const fromMs = NOON + call * 10 * MINUTE
      for (let from = 0; from < USERS; from += 1_000) {
        const calls = Array.from({ length: 1_000 }, (_, i) => {
          const user = from + i
          // Five dollars in all, which is not above; the one spends a cent more in its last call.
          const cents = call < CALLS - 1 ? 80 : user === OVER ? 101 : 100
          return callOf(user, fromMs + Math.floor((user * 10 * MINUTE) / USERS), cents)
        })
        lab.send(calls)
      }
    }
  }, 60_000)

  test('and is named by the one alert, with its model and its traces', () => {
    expect(lab.changes()).toEqual([`${NAME} acme user-${OVER} firing`])
    expect(lab.alerts).toMatchObject([
      {
        group: { tenant: 'acme', user: `user-${OVER}` },
        value: 5.01,
        threshold: 5,
        count: BigInt(CALLS),
        contributors: [{ dimension: 'model', name: 'gpt-4o', value: 5.01 }],
        reason: 'early',
        notify: true,
      },
    ])
    const [alert] = lab.alerts
    expect(alert?.summary).toContain(`User user-${OVER} of acme spent 5.01 USD`)
    expect(alert?.trace_ids).toHaveLength(5)
    expect(alert?.trace_ids[0]).toMatch(`trace-of-${OVER}-`)
  })

  test('and it takes 4.1 kB to remember each of them', () => {
    const { groups, bytes, overflowed } = lab.evaluator.size()
    // A user, and the user with the one model: 850 bytes each, and 200 for each of six buckets.
    expect(groups).toBe(2 * USERS)
    expect(bytes).toBe(USERS * 2 * (850 + CALLS * 200))
    expect(overflowed).toBe(0)
  })

  test('which resolves when the hour is over, and then nothing is remembered', () => {
    lab.reach(NOON + 3 * HOUR)
    expect(lab.changes()).toEqual([
      `${NAME} acme user-${OVER} firing`,
      `${NAME} acme user-${OVER} resolved`,
    ])
    expect(lab.evaluator.size()).toEqual({ groups: 0, bytes: 0, overflowed: 0 })
  })
})

describe('Of users beyond those that there is room for', () => {
  const ROOM = 1_000
  const USERS = 100_000
  const lab = new AlertLab(shippedRule(ROOM))

  beforeAll(() => {
    for (let from = 0; from < USERS; from += 1_000) {
      lab.send(
        Array.from({ length: 1_000 }, (_, i) =>
          callOf(from + i, NOON + Math.floor((from + i) / 2), from + i === 7 ? 501 : 0),
        ),
      )
    }
  }, 60_000)

  test('no more is remembered than is said, and all that found none are counted', () => {
    const { groups, bytes, overflowed } = lab.evaluator.size()
    // Users, five models for each of them, and (other) of both.
    expect(groups).toBe(ROOM + 1 + 5 * ROOM + 1)
    expect(bytes).toBeLessThan(groups * (850 + 12 * 200))
    expect(overflowed).toBe(USERS - ROOM + (USERS - 5 * ROOM))
  })

  test('those who came first are still told apart', () => {
    expect(lab.changes()).toEqual([`${NAME} acme user-7 firing`])
  })

  test('the others are one', () => {
    lab.send([callOf(USERS + 1, NOON + MINUTE, 300), callOf(USERS + 2, NOON + MINUTE, 300)])
    expect(lab.changes().slice(1)).toEqual([`${NAME} (other) (other) firing`])
  })
})
