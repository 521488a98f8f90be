import { describe, expect, test } from 'vitest'
import { parseJson, readSource } from '../../services/ingest/source-values.ts'

const START = 1_700_000_000_000_000_000n
const read = (source: Parameters<typeof readSource>[0], text: string) =>
  readSource(source, text, () => parseJson(text), START)

describe('A member of JSON', () => {
  const text = '{"openai":{"cachedPromptTokens":7,"tier":"flex","none":null,"list":[1]}}'
  test.each([
    [['openai', 'cachedPromptTokens'], '7'],
    [['openai', 'tier'], 'flex'],
    [['openai', 'none'], ''],
    [['openai', 'list'], '[1]'],
    [['openai', 'list', '0'], '1'],
    [['openai', 'missing'], ''],
    [['missing', 'a'], ''],
    [['openai', 'tier', 'a'], ''],
  ])('at %o is %o', (path, value) => {
    expect(read({ path }, text)).toBe(value)
  })

  test.each(['', 'no json', '[', '7', 'null'])('of %o is nothing', (broken) => {
    expect(read({ path: ['a'] }, broken)).toBe('')
  })

  test('is found in the text of a Python dict', () => {
    const dict = "{'cache_read': 7, 'audio': None, 'details': {'flag': True}}"
    expect(read({ path: ['cache_read'] }, dict)).toBe('7')
    expect(read({ path: ['audio'] }, dict)).toBe('')
    expect(read({ path: ['details', 'flag'] }, dict)).toBe('true')
    expect(read({ path: ['note'] }, `{'note': "it's"}`)).toBe('')
  })

  test('of more text than is read is nothing', () => {
    expect(read({ path: ['a'] }, `{"a":1,"b":"${'x'.repeat(300_000)}"}`)).toBe('')
  })
})

describe('A sum', () => {
  const text = '{"input":5,"input_cached_tokens":100,"output":3,"input_note":"x","total":108}'
  test('is that of the numbers whose names begin so', () => {
    expect(read({ sum: 'input' }, text)).toBe('105')
    expect(read({ sum: 'output' }, text)).toBe('3')
  })

  test('of none, or of one that is no count, is nothing', () => {
    expect(read({ sum: 'cost' }, text)).toBe('')
    expect(read({ sum: 'in' }, '{"in":1.5}')).toBe('')
  })

  test('of money is exact, unlike a sum of floating-point numbers', () => {
    expect(read({ sum: '', unit: 'usd' }, '{"a":0.1,"b":0.2}')).toBe('300000000000')
  })
})

test.each([
  ['0.000123', '123000000'],
  ['1e-7', '100000'],
  ['-1', ''],
  ['free', ''],
])('%s USD is %o pico-USD', (text, pico) => {
  expect(read({ unit: 'usd' }, text)).toBe(pico)
})

test('A value is translated, and one that is not listed tells nothing', () => {
  const values = { 'ai.streamText.doStream': 'true' }
  expect(read({ values }, 'ai.streamText.doStream')).toBe('true')
  expect(read({ values }, 'ai.generateText.doGenerate')).toBe('')
})

describe('A moment', () => {
  test.each([
    ['2023-11-14T22:13:20.310Z', '310000000'],
    ['"2023-11-14T22:13:20.310Z"', '310000000'],
    ['2023-11-14T22:13:20.000000001Z', '1'],
    ['2023-11-14T23:13:21+01:00', '1000000000'],
    ['2023-11-14 22:13:21', '1000000000'],
    ['2023-11-14T22:13:20Z', '0'],
    ['2023-11-14T22:13:19Z', ''],
    ['yesterday', ''],
    ['2023-13-45T99:99:99Z', ''],
    ['', ''],
  ])('%s is %o nanoseconds after the start', (text, nanos) => {
    expect(read({ moment: 'iso8601' }, text)).toBe(nanos)
  })
})
