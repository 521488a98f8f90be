import { expect, test } from 'vitest'
import { createKeyPrefixes } from '../../services/ingest/key-prefixes.ts'

const prefixes = createKeyPrefixes(['gen_ai.prompt.', 'gen_ai.completion.', 'llm.'])

test.each([
  ['gen_ai.prompt.0.content', true],
  ['gen_ai.completion.x', true],
  ['llm.x', true],
  ['gen_ai.prompt.', false],
  ['gen_ai.prompts.0', false],
  ['gen_ai', false],
  ['xllm.x', false],
  ['', false],
])('%o goes on after a prefix: %s', (key, matches) => {
  const buffer = Buffer.from(`--${key}--`)
  expect(prefixes.match(buffer, 2, 2 + key.length)).toBe(matches)
})
