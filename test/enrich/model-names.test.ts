import { describe, expect, test } from 'vitest'
import { isOtherRegion, placeOf, spellings } from '../../services/enrich/model-names.ts'

describe('A model is looked up as', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['gpt-4o', ['gpt-4o'], []],
    [' gpt-4o ', ['gpt-4o'], []],
    ['openai/gpt-4o', ['openai/gpt-4o', 'gpt-4o'], []],
    ['models/gemini-2.5-pro', ['gemini-2.5-pro'], []],
    ['publishers/google/models/gemini-2.5-pro', ['gemini-2.5-pro'], []],
    ['meta/llama/three', ['meta/llama/three', 'llama/three', 'three'], []],
    ['us.anthropic.claude-x', ['us.anthropic.claude-x', 'anthropic.claude-x'], []],
    [
      'bedrock/eu-west-1/eu.anthropic.claude-x',
      [
        'bedrock/eu-west-1/eu.anthropic.claude-x',
        'eu-west-1/eu.anthropic.claude-x',
        'eu.anthropic.claude-x',
        'anthropic.claude-x',
      ],
      [],
    ],
    ['ft:gpt-4.1-2025-04-14:org::id', ['ft:gpt-4.1-2025-04-14:org::id'], ['gpt-4.1-2025-04-14']],
    ['gpt-4.1-2025-04-14.ft-0a1b', ['gpt-4.1-2025-04-14.ft-0a1b'], ['gpt-4.1-2025-04-14']],
    ['  ', [], []],
    ['openai/', ['openai/'], []],
  ])('"%s"', (model, exact, approximate) => {
    const found = spellings(model)
    expect(found.filter((name) => !name.isApproximate).map((name) => name.model)).toEqual(exact)
    expect(found.filter((name) => name.isApproximate).map((name) => name.model)).toEqual(
      approximate,
    )
  })
})

test.each([
  ['us.anthropic.claude-x', 'us'],
  ['us-gov.anthropic.claude-x', 'us-gov'],
  ['global.anthropic.claude-x', 'global'],
  ['bedrock/us-gov-east-1/anthropic.claude-x', 'us-gov-east-1'],
  ['azure/eu/gpt-4o', 'eu'],
  ['anthropic.claude-x', ''],
  ['gpt-4o', ''],
  ['eu-llama', ''],
])('The model %s ran in "%s"', (model, place) => {
  expect(placeOf(model)).toBe(place)
})

test.each([
  ['', 'aws', 'regional.anthropic.claude-x', false],
  ['eu', 'aws', 'regional.anthropic.claude-x', false],
  ['global', 'aws', 'regional.anthropic.claude-x', true],
  ['us-gov', 'aws', 'regional.anthropic.claude-x', true],
  ['us-gov-east-1', 'aws', 'meta.llama3', true],
  ['global', 'aws', 'global.anthropic.claude-x', false],
  ['us', 'aws', 'meta.llama3', false],
  ['us-east-1', 'aws', 'meta.llama3', false],
  ['eu', 'aws', 'meta.llama3', true],
  ['global', 'aws', 'openai.gpt-5.4', true],
  ['eu', 'azure', 'gpt-4o', true],
  ['us', 'azure', 'gpt-4o', true],
  ['global', 'azure', 'gpt-4o', false],
])('In "%s" of %s, prices of %s are those of another region: %s', (place, provider, id, is) => {
  expect(isOtherRegion(place, provider, id)).toBe(is)
})
