import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { enrichVariables, parseConfig } from '../../services/enrich/config.ts'
import { createCallPricer } from '../../services/enrich/price-call.ts'
import { SpanView } from '../../services/enrich/span-view.ts'
import { ConfigError } from '../../services/runtime/config.ts'
import { call } from './calls.ts'

const folder = mkdtempSync(join(tmpdir(), 'enrich-config-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const rulesFile = (text: string): string => {
  const file = join(folder, `${files++}.yaml`)
  writeFileSync(file, text)
  return file
}

const costOf = (env: Readonly<Record<string, string>>) =>
  createCallPricer(parseConfig(env).prices)(call()).costPicoUsd

describe('The configuration of enrich', () => {
  test('keeps the content of one trace in twenty, without rules, where nothing is set', () => {
    const config = parseConfig({})
    expect([config.contentRate, config.metricsPort]).toEqual([0.05, 9465])
    expect(config.tagSpan(new SpanView())).toBeUndefined()
    expect(config.kafka.brokers).toEqual(['127.0.0.1:9092'])
  })

  test('has list prices, and those of a file before them', () => {
    const file = rulesFile('models: [{ model: gpt-4o, prices: { input: 1, output: 2 } }]')
    expect(costOf({})).toBe(12_500_000_000n)
    expect(costOf({ SPANMETER_PRICES: file })).toBe(3_000_000_000n)
  })

  test('reads rules from a file', () => {
    const file = rulesFile('rules: [{ set: { team: a } }]')
    expect(() => parseConfig({ SPANMETER_TAG_RULES: file })).not.toThrow()
  })

  test.each([
    ['SPANMETER_CONTENT_RATE', '1.5', 'at most 1'],
    ['SPANMETER_CONTENT_RATE', '-0.1', 'at least 0'],
    ['SPANMETER_CONTENT_RATE', '5%', 'SPANMETER_CONTENT_RATE=5%'],
    ['SPANMETER_TAG_RULES', join(folder, 'missing.yaml'), 'missing.yaml'],
    ['SPANMETER_TAG_RULES', rulesFile('rules: [{ set: { nope: a } }]'), 'rules.0.set'],
    ['SPANMETER_TAG_RULES', rulesFile('rules: ['), '.yaml'],
    ['SPANMETER_PRICES', join(folder, 'none.yaml'), 'none.yaml'],
    ['SPANMETER_PRICES', rulesFile('models: [{ model: m }]'), 'line 1, models.0.prices'],
    ['SPANMETER_ENRICH_METRICS_PORT', '70000', 'at most 65535'],
  ])('%s=%s is refused', (name, value, message) => {
    expect(() => parseConfig({ [name]: value })).toThrow(ConfigError)
    expect(() => parseConfig({ [name]: value })).toThrow(name)
    expect(() => parseConfig({ [name]: value })).toThrow(message)
  })

  test.each([
    ['0', 0],
    ['1', 1],
    ['0.5', 0.5],
  ])('takes the rate %s', (text, rate) => {
    expect(parseConfig({ SPANMETER_CONTENT_RATE: text }).contentRate).toBe(rate)
  })

  test('describes each variable in a sentence', () => {
    for (const type of Object.values(enrichVariables))
      expect(type.description).toMatch(/^[A-Z].*\.$/)
  })
})
