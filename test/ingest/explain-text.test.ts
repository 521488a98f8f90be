import { expect, test } from 'vitest'
import { renderSpans } from '../../services/ingest/explain-text.ts'

test('A span is shown before and after, with what filled each field', () => {
  const text = renderSpans([
    {
      name: 'chat gpt-4o',
      before: { 'gen_ai.usage.prompt_tokens': '7', long: 'x'.repeat(100) },
      fields: [
        { field: 'kind', value: 'llm', from: 'a: value of b' },
        { field: 'input_tokens', value: '7', from: 'c: d' },
      ],
      attributes: { plan: 'pro' },
      content: ['gen_ai.prompt.0.content'],
      flags: [],
    },
  ])
  expect(text).toBe(`span 0: chat gpt-4o
  before
    gen_ai.usage.prompt_tokens  7
    long                        ${'x'.repeat(59)}…
  after
    kind          llm  a: value of b
    input_tokens  7    c: d
  attributes that remain
    plan  pro
  content, kept or dropped with the prompt
    gen_ai.prompt.0.content
`)
})

test('What is empty is left out', () => {
  const empty = { before: {}, fields: [], attributes: {}, content: [], flags: [] }
  expect(
    renderSpans([
      { name: 'a', ...empty },
      { name: 'b', ...empty },
    ]),
  ).toBe('span 0: a\n\nspan 1: b\n')
})
