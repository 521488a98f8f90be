import { describe, expect, test } from 'vitest'
import { isVersionOf, isVersionSuffix } from '../../services/enrich/version-suffix.ts'

describe('Behind the name of a model, a version is', () => {
  test.each([
    '',
    '-2024-08-06',
    '-20250219',
    '@20250219',
    '-latest',
    '@latest',
    '@default',
    '-preview',
    '-preview-05-06',
    '-preview-09-2025',
    '-exp',
    '-exp-0827',
    '-0613',
    '-2411',
    '-001',
    '-v1',
    '-v1:0',
    '-v2@20241022',
    '-20241022-v2:0',
    ':0',
    '-LATEST',
  ])('"%s"', (suffix) => {
    expect(isVersionSuffix(suffix)).toBe(true)
  })

  test.each([
    '-5',
    '-4-5',
    '.5',
    '-mini',
    '-nano-2025-08-07',
    '-20251399',
    '-2024-13-01',
    '-4096',
    '-8k',
    '-v3',
    '-fast',
    '-codex',
    '-audio-preview',
    '-preview-tts',
    '20250219',
    ':thinking',
    '-latestish',
    '-70b',
  ])('not "%s"', (suffix) => {
    expect(isVersionSuffix(suffix)).toBe(false)
  })

  test('what one id has and the other does not', () => {
    expect(isVersionOf('gpt-4o-2024-08-06', 'gpt-4o')).toBe(true)
    expect(isVersionOf('GPT-4o', 'gpt-4o')).toBe(true)
    expect(isVersionOf('gpt-4o-mini', 'gpt-4o')).toBe(false)
    expect(isVersionOf('gpt-4o', 'gpt-4o-mini')).toBe(false)
  })
})
