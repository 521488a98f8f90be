import { InvalidArgumentError } from 'commander'
import { describe, expect, test } from 'vitest'
import {
  annotationOf,
  createAnnotateCommand,
  differenceOf,
  formatAnnotations,
  readTag,
} from '../../services/cli/annotate-command.ts'
import type { Annotation } from '../../services/cli/annotations.ts'
import { silent } from '../support/stack.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 10)
const writing = { nowMs: NOW_MS, author: 'ada', freshId: () => 'fresh' }
const flags = { kind: 'deploy', tag: {} }

const made = (text: string, given: Parameters<typeof annotationOf>[1] = flags): Annotation => {
  const annotation = annotationOf(text, given, writing)
  if (typeof annotation === 'string') throw new Error(annotation)
  return annotation
}

describe('What flags ask for', () => {
  test('is a moment, now, of all tenants and environments, where nothing else is said', () => {
    expect(made('  v2 is out ')).toEqual({
      id: 'fresh',
      kind: 'deploy',
      title: 'deploy',
      text: 'v2 is out',
      time: '2026-11-21T10:00:00.000Z',
      endTime: null,
      tenant: '',
      environment: '',
      tags: {},
      author: 'ada',
    })
  })

  test('may have a time, an end, a place, tags and an id', () => {
    const given = {
      kind: 'incident',
      title: 'Outage',
      at: NOW_MS - 60_000,
      until: NOW_MS,
      tenant: 'acme',
      environment: 'production',
      tag: { provider: 'anthropic' },
      id: 'outage-7',
    }
    expect(made('Provider down', given)).toMatchObject({
      id: 'outage-7',
      title: 'Outage',
      time: '2026-11-21T09:59:00.000Z',
      endTime: '2026-11-21T10:00:00.000Z',
      tenant: 'acme',
      environment: 'production',
      tags: { provider: 'anthropic' },
    })
  })

  test('must end after it began, and say something', () => {
    const early = { ...flags, at: NOW_MS, until: NOW_MS - 1 }
    expect(annotationOf('x', early, writing)).toBe('--until must not be before --at')
    expect(annotationOf('x', { ...flags, until: NOW_MS - 1 }, writing)).toBe(
      '--until must not be before --at',
    )
    expect(annotationOf(' \n', flags, writing)).toBe('say what was done')
  })
})

describe('Of two annotations with one id the difference', () => {
  const asked = made('x', { ...flags, tag: { a: 'b' } })

  test('is none where they say the same, whenever nobody gave the time', () => {
    expect(differenceOf(asked, asked, true)).toBeUndefined()
    const later = { ...asked, time: '2026-11-22T00:00:00.000Z', author: 'bob' }
    expect(differenceOf(asked, later, false)).toBeUndefined()
    expect(differenceOf(asked, later, true)).toBe('time')
  })

  test.each([
    ['kind', { kind: 'note' }],
    ['title', { title: 'other' }],
    ['text', { text: 'other' }],
    ['tenant', { tenant: 'acme' }],
    ['environment', { environment: 'staging' }],
    ['end', { endTime: '2026-11-22T00:00:00.000Z' }],
    ['tag', { tags: { a: 'c' } }],
    ['tag', { tags: {} }],
    ['tag', { tags: { a: 'b', c: 'd' } }],
  ])('is the %s of %j', (name, other) => {
    expect(differenceOf(asked, { ...asked, ...other }, true)).toBe(name)
  })
})

describe('A tag', () => {
  test('is added to those before it, and may hold anything behind the first sign', () => {
    expect(readTag('b=c=d', { a: '' })).toEqual({ a: '', b: 'c=d' })
    expect(readTag('b=', {})).toEqual({ b: '' })
  })

  test.each(['b', '=b', ''])('is not %j', (text) => {
    expect(() => readTag(text, {})).toThrow(InvalidArgumentError)
  })
})

test('The table has a line to each', () => {
  const outage = made('Provider\n down', {
    kind: 'incident',
    until: NOW_MS + 60_000,
    tenant: 'acme',
    environment: 'production',
    tag: { a: 'b', c: 'd' },
  })
  expect(formatAnnotations([made('out'), outage])).toEqual([
    'time (UTC)           until                kind      where            title     text           tags     by   id',
    '2026-11-21 10:00:00                       deploy    everywhere       deploy    out                     ada  fresh',
    '2026-11-21 10:00:00  2026-11-21 10:01:00  incident  acme production  incident  Provider down  a=b c=d  ada  fresh',
  ])
})

/** What a person is told who gives these arguments. */
const parse = async (...args: readonly string[]): Promise<string> => {
  const said: string[] = []
  const command = createAnnotateCommand({ env: {}, logger: silent })
  command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) })
  await command.parseAsync(args, { from: 'user' }).catch(() => undefined)
  return said.join('')
}

describe('The command', () => {
  test.each([
    [[], 'say what was done, or --list'],
    [['text', '--list'], '--list takes no text'],
    [['text', '--kind', 'party'], 'Allowed choices are deploy, config, incident, note'],
    [['text', '--at', 'yesterday'], 'ISO 8601'],
    [['text', '--id', 'a b'], 'It may have 200 letters'],
    [['text', '--tag', 'x'], 'It must be name=value'],
    [['--list', '--limit', '0'], 'whole number from 1 to 10000'],
  ])('refuses %j', async (args, said) => {
    expect(await parse(...args)).toContain(said)
  })
})
