import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMentions } from '../../../services/cli/erase/mentions.ts'

const holds = (name: string, text: string) => createMentions(name).inText(text)
const inBytes = (name: string, text: string | Buffer) =>
  createMentions(name).inBytes(Buffer.from(text))

test.each([
  ['ann', 'ann', true],
  ['ann', 'of ann.', true],
  ['ann', '{"user":"ann"}', true],
  ['ann', 'joanna', false],
  ['ann', 'ann_2', false],
  ['ann', 'Ann', false],
  ['u-1', 'u-12', false],
  ['42', 'took 42 ms', true],
  ['42', '1428', false],
  ['ann', String.raw`hello\nann`, true],
  ['ann', 'x%40ann', true],
  ['a@b.c', 'mailto:a%40b.c', true],
  ['a@b.c', String.raw`"a\u0040b.c"`, true],
  ['a@b.c', 'a@bxc', false],
  ['a/b', String.raw`a\/b`, true],
  ['a"b', String.raw`{"x":"{\"y\":\"a\\\"b\"}"}`, true],
  ['é', String.raw`"\u00E9"`, true],
  ['é', '%c3%a9', true],
  ['éa', 'eéa', false],
])('%s in %s: %s', (name, text, expected) => {
  expect(holds(name, text)).toBe(expected)
})

test('bytes hold a name whatever stands before and after it', () => {
  expect(inBytes('ann', Buffer.from('\u0003annJ\u0001'))).toBe(true)
  expect(inBytes('é@x', Buffer.from([0xff, ...Buffer.from('é@x'), 0xff]))).toBe(true)
  expect(inBytes('é@x', String.raw`{"u":"\u00e9@x"}`)).toBe(true)
  expect(inBytes('ann', 'an n')).toBe(false)
})

test('any name is found as it is, and in JSON within JSON', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(name, fc.constantFrom('', ' ', '"', '/'), (text, around) => {
      const { inText, inBytes: inRaw } = createMentions(text)
      const said = `${around}${text}${around}`
      const json = JSON.stringify({ a: JSON.stringify({ b: said }) })
      expect(inText(said)).toBe(true)
      expect(inText(json)).toBe(true)
      expect(inRaw(Buffer.from(said))).toBe(true)
      expect(inRaw(Buffer.from(json))).toBe(true)
      expect(inText(encodeURIComponent(said))).toBe(true)
    }),
    { seed: 1, numRuns: 300 },
  )
})
