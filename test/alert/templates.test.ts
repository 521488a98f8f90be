import { expect, test } from 'vitest'
import { renderTemplate } from '../../services/alert/templates.ts'

const VARIABLES = new Map([
  ['value', '6.20 s'],
  ['baseline', ''],
  ['model', '<gpt & "co">'],
  ['attributes.user', 'ann'],
  ['attributes.user.id', '7'],
])

test.each([
  ['nothing to fill', 'nothing to fill'],
  ['', ''],
  ['{{value}} of {{ model }}', '6.20 s of <gpt & "co">'],
  ['{{{model}}} {{&model}}', '<gpt & "co"> <gpt & "co">'],
  ['{{attributes.user}} {{attributes.user.id}}', 'ann 7'],
  ['{{#value}}is {{value}} for {{attributes.user.id}}{{/value}}', 'is 6.20 s for 7'],
  ['a{{#baseline}}, usually {{baseline}}{{/baseline}}', 'a'],
  ['a{{^baseline}}, unusual{{/baseline}}', 'a, unusual'],
  ['{{unknown}}{{constructor}}{{toString}}{{__proto__}}{{value.length}}', ''],
  ['{{#constructor}}no{{/constructor}}{{! a remark }}', ''],
])('%s', (template, text) => {
  expect(renderTemplate(template, VARIABLES)).toBe(text)
})

test('values are no templates', () => {
  expect(renderTemplate('{{value}}', new Map([['value', '{{model}}']]))).toBe('{{model}}')
})

test('what is no template is refused', () => {
  expect(() => renderTemplate('{{#value}}', VARIABLES)).toThrow('Unclosed section')
})
