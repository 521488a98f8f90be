import { describe, expect, test } from 'vitest'
import { decimalText } from '../../services/enrich/decimal.ts'
import { parsePriceFile } from '../../services/enrich/price-file.ts'

const FILE = 'etc/prices.yaml'
const read = (yaml: string) => parsePriceFile(yaml, FILE, (provider) => provider.toLowerCase())

describe('A file of prices', () => {
  test('may hold nothing', () => {
    for (const text of ['', '# nothing\n', '{}', 'models: []']) {
      expect(read(text)).toMatchObject({ models: [], tiers: [], discounts: [], aliases: [] })
    }
  })

  test('has its name and the beginning of its hash as its version', () => {
    expect(read('models: []').version).toMatch(/^prices\.yaml@[0-9a-f]{8}$/)
    expect(read('models: []').version).toBe(read('models: []').version)
    expect(read('models: []').version).not.toBe(read('models: [ ]').version)
  })

  test.each([
    ['0.1', '0.1'],
    ["'0.1'", '0.1'],
    ['1e-7', '0.0000001'],
    ['10', '10'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['"2.50"', '2.5'],
  ])('reads the amount %s by its digits', (text, expected) => {
    const [model] = read(`models: [{ model: m, prices: { input: ${text} } }]`).models
    const price = model?.row.base.input
    expect(price === undefined ? undefined : decimalText(price)).toBe(expected)
  })

  test('reads times, and without an offset they are UTC', () => {
    const [model] = read(
      'models: [{ model: m, prices: {}, from: 2026-11-01, until: 2026-11-01T08:30:00+02:00 }]',
    ).models
    expect(model).toMatchObject({
      fromMs: Date.UTC(2026, 10, 1),
      untilMs: Date.UTC(2026, 10, 1, 6, 30),
    })
  })

  test('makes a rule of each model that one is for', () => {
    const { discounts, models } = read(
      'discounts: [{ model: [a, b*], percent: 5 }, { percent: 1 }]\nmodels: [{ provider: X, model: m, prices: {} }]',
    )
    expect(discounts.map(({ model }) => model)).toEqual(['a', 'b*', '*'])
    expect(models.map(({ provider }) => provider)).toEqual(['x'])
  })
})

describe('A file of prices is refused, by name and place,', () => {
  test.each<[string, string, readonly string[]]>([
    ['that is not YAML', 'models: [', ['is not YAML']],
    ['that says a thing twice', 'models: []\nmodels: []', ['is not YAML', 'unique']],
    ['with a word it does not know', 'modles: []', ['modles']],
    [
      'with an amount that is none',
      'models:\n  - model: m\n    prices:\n      input: 1,5',
      ['line 4', 'models.0.prices.input', '"1,5"'],
    ],
    [
      'with a negative amount',
      'models: [{ model: m, prices: { input: -1 } }]',
      ['models.0.prices.input', '"-1"'],
    ],
    [
      'with a part that is none',
      'models: [{ model: m, prices: { inputs: 1 } }]',
      ['models.0.prices', 'inputs'],
    ],
    ['without a model', 'models: [{ prices: {} }]', ['models.0.model']],
    [
      'with a time that is none',
      'models: [{ model: m, prices: {}, from: yesterday }]',
      ['models.0.from', '"yesterday"'],
    ],
    [
      'with an end before its start',
      'models: [{ model: m, prices: {}, from: 2026-02-01, until: 2026-01-01 }]',
      ['models.0', 'until must be after from'],
    ],
    [
      'with a discount above a hundred percent',
      'discounts: [{ percent: 101 }]',
      ['discounts.0.percent', '"101"'],
    ],
    ['with a tier of no price', 'tiers: [{ tier: batch }]', ['tiers.0', 'percent or prices']],
    [
      'with a tier of two prices',
      'models: [{ model: m, prices: {}, tiers: { batch: { percent: 50, prices: { input: 1 } } } }]',
      ['models.0.tiers.batch', 'percent or prices'],
    ],
    [
      'with a price of the standard tier',
      'tiers: [{ tier: default, percent: 50 }]',
      ['tiers.0.tier'],
    ],
    [
      'with a threshold that is none',
      'models: [{ model: m, prices: {}, context: [{ above: 1.5, prices: {} }] }]',
      ['models.0.context.0.above'],
    ],
    [
      'with an alias for a model of no provider',
      'aliases: [{ model: m, is: gpt-4o }]',
      ['aliases.0.is', '<provider>/<model>'],
    ],
    [
      'with two prices for the same calls',
      'models: [{ model: m, prices: { input: 1 } }, { model: M, prices: { input: 2 } }]',
      ['models.1', 'models.0'],
    ],
  ])('%s', (_, yaml, words) => {
    for (const word of [FILE, ...words]) expect(() => read(yaml)).toThrow(word)
  })

  test('with all places at once', () => {
    const yaml = 'models: [{ model: "", prices: { input: x } }]\ndiscounts: [{ percent: y }]'
    for (const place of ['models.0.model', 'models.0.prices.input', 'discounts.0.percent']) {
      expect(() => read(yaml)).toThrow(place)
    }
  })
})
