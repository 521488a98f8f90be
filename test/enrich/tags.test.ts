import { describe, expect, test } from 'vitest'
import { batchBody } from '../../schemas/codec.ts'
import { readBlock } from '../../schemas/batch.ts'
import { SpanView } from '../../services/enrich/span-view.ts'
import { parseTagRules, TAGS } from '../../services/enrich/tags.ts'
import { type Decoded, spanBatch } from '../support/spans.ts'

/** The tags that rules give a span: undefined where they change none. */
function tag(rules: string, span: Decoded): Record<string, string> | undefined {
  const view = new SpanView()
  const body = batchBody(spanBatch(span))
  view.reader.buffer = body
  view.reader.position = readBlock(body).start
  view.next()
  const tags = parseTagRules(`rules:\n${rules}`, 'rules.yaml')(view)
  if (tags === undefined) return undefined
  return Object.fromEntries(
    TAGS.map((name, i) => [name, tags[i] ?? '']).filter(([, text]) => text !== ''),
  )
}

test.each<[string, string, Decoded, Record<string, string> | undefined]>([
  ['sets tags for all spans', '- set: { team: a, tenant: t }', {}, { team: 'a', tenant: 't' }],
  ['sets a tag over the one that is there', '- set: { team: a }', { team: 'b' }, { team: 'a' }],
  [
    'keeps the other tags',
    '- set: { team: a }',
    { tenant: 't', feature: 'f' },
    { team: 'a', tenant: 't', feature: 'f' },
  ],
  ['fills an empty tag by default', '- default: { team: a }', {}, { team: 'a' }],
  [
    'keeps a tag that is not empty by default',
    '- default: { team: a }',
    { team: 'b' },
    { team: 'b' },
  ],
  ['may empty a tag', "- set: { team: '' }", { team: 'b', tenant: 't' }, { tenant: 't' }],
  [
    'applies where a field matches',
    '- { when: { service: shop }, set: { team: a } }',
    { service: 'shop' },
    { team: 'a' },
  ],
  [
    'applies not where it does not',
    '- { when: { service: shop }, set: { team: a } }',
    { service: 'shops' },
    undefined,
  ],
  [
    'applies only where all match',
    '- { when: { service: a, operation: b }, set: { team: a } }',
    { service: 'a' },
    undefined,
  ],
  [
    'takes any of a list',
    '- { when: { service: [x, shop] }, set: { team: a } }',
    { service: 'shop' },
    { team: 'a' },
  ],
  [
    'takes * for any text',
    '- { when: { service: shop-*-eu }, set: { team: a } }',
    { service: 'shop-1\n2-eu' },
    { team: 'a' },
  ],
  [
    'takes * for no text',
    "- { when: { service: 'shop*' }, set: { team: a } }",
    { service: 'shop' },
    { team: 'a' },
  ],
  [
    'takes a dot for a dot',
    '- { when: { service: a.c }, set: { team: a } }',
    { service: 'abc' },
    undefined,
  ],
  [
    'matches with regard to case',
    '- { when: { service: Shop }, set: { team: a } }',
    { service: 'shop' },
    undefined,
  ],
  [
    'reads an attribute',
    '- { when: { attributes.plan.name: pro }, set: { user_tier: paid } }',
    { attributes: { 'plan.name': 'pro', other: 'x' } },
    { user_tier: 'paid' },
  ],
  [
    'reads an attribute of the resource',
    '- { when: { resource_attributes.region: eu }, set: { cost_centre: c } }',
    { resource_attributes: { region: 'eu' } },
    { cost_centre: 'c' },
  ],
  [
    'takes an attribute that is missing for empty',
    "- { when: { attributes.plan: '' }, set: { user_tier: free } }",
    {},
    { user_tier: 'free' },
  ],
  [
    'puts fields into values',
    "- set: { team: 'x-${service}-${attributes.a.b}' }",
    { service: 's', attributes: { 'a.b': 'v' } },
    { team: 'x-s-v' },
  ],
  ['lets a later rule win', '- set: { team: a }\n- set: { team: b }', {}, { team: 'b' }],
  [
    'lets a rule fill what a rule before left empty',
    '- default: { team: a }\n- default: { team: b, tenant: t }',
    {},
    { team: 'a', tenant: 't' },
  ],
  [
    'matches the tags as they came',
    '- set: { team: b }\n- { when: { team: a }, set: { tenant: t } }',
    { team: 'a' },
    { team: 'b', tenant: 't' },
  ],
])('A rule %s', (_, rules, span, expected) => {
  expect(tag(rules, span)).toEqual(expected)
})

test.each(['', 'rules: []', '# nothing'])('A file without rules ("%s") changes nothing', (text) => {
  const view = new SpanView()
  expect(parseTagRules(text, 'rules.yaml')(view)).toBeUndefined()
})

describe('A file that is wrong is named with the place', () => {
  test.each([
    ['an unknown tag', 'rules: [{ set: { teams: a } }]', 'rules.0.set'],
    ['an unknown word', 'rules: [{ if: { team: a } }]', 'rules.0'],
    ['a value that is no text', 'rules: [{ set: { team: [a] } }]', 'rules.0.set.team'],
    ['rules that are no list', 'rules: { set: { team: a } }', 'rules'],
    [
      'an unknown field in when',
      'rules: [{}, { when: { nope: a } }]',
      'rules.1: a span has no field "nope"',
    ],
    [
      'an unknown field in a value',
      "rules: [{ set: { team: '${nope}' } }]",
      'rules.0: a span has no field "nope"',
    ],
    ['a field that holds a number', 'rules: [{ when: { duration_nano: "5" } }]', 'duration_nano'],
    [
      'a field that may hold nothing',
      "rules: [{ set: { team: '${input_tokens}' } }]",
      'input_tokens',
    ],
    ['a field that holds a map', 'rules: [{ when: { attributes: a } }]', 'attributes'],
    ['what is no YAML', 'rules: [', 'rules.yaml'],
  ])('%s', (_, text, place) => {
    expect(() => parseTagRules(text, 'rules.yaml')).toThrow('rules.yaml')
    expect(() => parseTagRules(text, 'rules.yaml')).toThrow(place)
  })
})
