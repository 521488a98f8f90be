import { findProvider, type MatchLogic } from '@pydantic/genai-prices'
import { describe, expect, test } from 'vitest'
import { isNamedByList } from '../../services/enrich/list-match.ts'
import { findListedModel } from '../../services/enrich/prices.ts'
import { LIST_PROVIDERS } from './list-providers.ts'

/** All names that the list itself looks for. */
function namesOf(match: MatchLogic): readonly string[] {
  if ('or' in match) return match.or.flatMap(namesOf)
  if ('and' in match) return match.and.flatMap(namesOf)
  if ('equals' in match) return [match.equals]
  if ('starts_with' in match) return [match.starts_with]
  if ('contains' in match) return [match.contains]
  return 'ends_with' in match ? [match.ends_with] : []
}

describe.each(LIST_PROVIDERS)('The list of %s names', (providerId) => {
  const models = findProvider({ providerId })?.models ?? []

  test('all models that it looks for', () => {
    const names = models.flatMap(({ id, match }) => [...namesOf(match), id])
    const found = names.flatMap((name) => findListedModel(providerId, name) ?? [])
    expect(names.filter((name) => findListedModel(providerId, name)?.isSibling === true)).toEqual(
      [],
    )
    expect(found.length).toBeGreaterThanOrEqual(models.length)
  })
})

describe('A name of the list', () => {
  const sonnet: MatchLogic = { or: [{ starts_with: 'claude-sonnet-5' }, { equals: 'sonnet-5' }] }

  test.each<[MatchLogic, string, boolean]>([
    [sonnet, 'claude-sonnet-5', true],
    [sonnet, ' Claude-Sonnet-5 ', true],
    [sonnet, 'claude-sonnet-5-20260101', true],
    [sonnet, 'claude-sonnet-5-2026-01-01', true],
    [sonnet, 'claude-sonnet-5@20260101', true],
    [sonnet, 'claude-sonnet-5-latest', true],
    [sonnet, 'claude-sonnet-5-5', false],
    [sonnet, 'claude-sonnet-5-mini', false],
    [sonnet, 'claude-sonnet-50', false],
    [{ starts_with: 'claude-sonnet-4-2025' }, 'claude-sonnet-4-20250514', true],
    [{ starts_with: 'gpt-5-nano-' }, 'gpt-5-nano-2025-08-07', true],
    [{ starts_with: 'gpt-5-nano-' }, 'gpt-5-nano-audio', false],
    [{ starts_with: 'ft:gpt-4o-2024-' }, 'ft:gpt-4o-2024-08-06:org:name:id', true],
    [{ starts_with: 'gpt-4o-mini.ft-' }, 'gpt-4o-mini.ft-0a1b2c', true],
    [{ contains: 'claude-opus-4-5' }, 'us.anthropic.claude-opus-4-5-20251101-v1:0', true],
    [{ contains: 'claude-opus-4-5' }, 'publishers/anthropic/claude-opus-4-5@20251101', true],
    [{ contains: 'claude-opus-4-5' }, 'not-claude-opus-4-5', false],
    [{ contains: 'claude-opus-5@' }, 'claude-opus-5@default', true],
    [{ contains: 'o4-mini' }, 'o4-mini-deep-research', false],
    [{ ends_with: 'claude-fable-5' }, 'anthropic/claude-fable-5', true],
    [{ ends_with: 'claude-fable-5' }, 'my-claude-fable-5', false],
    [{ regex: '^claude-opus-5-\\d{8}$' }, 'claude-opus-5-20260101', true],
    [{ regex: '^(?!.*-tts)' }, 'gemini-2.5-pro', false],
    [
      { and: [{ starts_with: 'gemini-2.5-pro' }, { regex: '^(?!.*-tts)' }] },
      'gemini-2.5-pro-preview-05-06',
      true,
    ],
    [
      { and: [{ starts_with: 'gemini-2.5-pro' }, { regex: '^(?!.*-tts)' }] },
      'gemini-2.5-pro-ultra',
      false,
    ],
  ])('%o for %s: %s', (match, id, isNamed) => {
    expect(isNamedByList(match, id)).toBe(isNamed)
  })
})
