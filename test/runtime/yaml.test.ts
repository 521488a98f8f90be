import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { misshapen, readYamlTexts } from '../../services/runtime/yaml.ts'

describe('YAML whose scalars are texts', () => {
  test('keeps every digit and word as it is written', () => {
    const { value } = readYamlTexts("a: 0.10\nb: [yes, 1e3, null, '']\nc: 02:00", 'a.yaml')
    expect(value).toEqual({ a: '0.10', b: ['yes', '1e3', 'null', ''], c: '02:00' })
  })

  test.each<[string, readonly PropertyKey[], string]>([
    ['a place', ['rules', 1, 'window'], 'line 4, rules.1.window'],
    ['what a missing place is missing from', ['rules', 1, 'metric'], 'line 3, rules.1.metric'],
    ['what is far from there', ['other', 'a', 'b'], 'line 1, other.a.b'],
    ['the whole file', [], 'line 1'],
  ])('tells the line of %s', (_, path, expected) => {
    const document = readYamlTexts('rules:\n  - name: a\n  - name: b\n    window: 1m\n', 'a.yaml')
    expect(document.describe(path)).toBe(expected)
  })

  test('tells no line of an empty file', () => {
    expect(readYamlTexts('', 'a.yaml').describe(['rules'])).toBe('rules')
  })

  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join()}]`)
    .join('\n')}`

  test.each([
    ['a broken one', 'a: ['],
    ['one with a key twice', 'a: 1\na: 2'],
    ['one whose references fill the memory', bomb],
  ])('refuses %s by the name of the file', (_, text) => {
    expect(() => readYamlTexts(text, 'etc/a.yaml')).toThrow(/^etc\/a\.yaml is not YAML: /)
  })
})

describe('YAML that may hold secrets', () => {
  test.each([
    ['a broken one', 'a: 1\nb: "hunter2', 'line 2, missing char'],
    ['one that refers to nothing', 'a: *hunter2', 'a reference (*) cannot be followed'],
  ])('is refused without a word of it: %s', (_, text, why) => {
    expect(() => readYamlTexts(text, 'etc/a.yaml', { hidesText: true })).toThrow(
      new Error(`etc/a.yaml is not YAML: ${why}`),
    )
  })
})

test('A key that is not known is a mistake at its own place', () => {
  const shape = z.strictObject({ a: z.strictObject({ b: z.string('must be a text') }) })
  const { error } = shape.safeParse({ a: { b: 1, c: 2, d: 3 } })
  expect(error === undefined ? [] : misshapen(error)).toEqual([
    { path: ['a', 'b'], message: 'must be a text' },
    { path: ['a', 'c'], message: 'is not known here' },
    { path: ['a', 'd'], message: 'is not known here' },
  ])
})
