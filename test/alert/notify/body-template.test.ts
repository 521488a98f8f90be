import { describe, expect, test } from 'vitest'
import { alertJson, SAMPLE_VIEWS } from '../../../services/alert/notify/alert-json.ts'
import { renderTemplate, templateError } from '../../../services/alert/notify/body-template.ts'
import { alertOf } from './samples.ts'

describe('A template of a body', () => {
  test.each([
    ['{"a": "{{summary}}"}', { a: 'say "no" \\ \n<&>' }],
    ['{"a": "{{group.model}}", "b": "{{value}}"}', { a: 'gpt-4o', b: '12.3456' }],
    ['{"a": {{{json.value}}}, "b": {{{json.group}}}}', { a: 12.3456, b: { model: 'gpt-4o' } }],
    ['{"a": [{{#trace_ids}}"{{.}}"{{/trace_ids}}]}', { a: ['t1'] }],
    ['{"a": "{{nothing}}"}', { a: '' }],
  ])('%s', (template, expected) => {
    const alert = alertOf({
      summary: 'say "no" \\ \n<&>',
      group: { model: 'gpt-4o' },
      trace_ids: ['t1'],
    })
    expect(JSON.parse(renderTemplate(template, alertJson(alert)))).toEqual(expected)
  })

  test('may put the whole alert in', () => {
    const view = alertJson(alertOf())
    expect(JSON.parse(renderTemplate('{{{json.alert}}}', view))).toEqual(view)
  })

  test.each([
    ['{"a": "{{summary}}"}', 'good'],
    ['{"a": {{{json.value}}}}', 'good'],
    ['{"a": "{{summary}"}', 'Unclosed tag'],
    ['{"a": {{value}}}', 'JSON'],
    ['{"a": "{{{summary}}}"}', 'JSON'],
    ['plain text', 'JSON'],
  ])('is tried before it is used: %s', (template, found) => {
    expect(templateError(template, SAMPLE_VIEWS) ?? 'good').toContain(found)
  })
})
