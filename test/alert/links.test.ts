import { describe, expect, test } from 'vitest'
import { graphRange, renderLink } from '../../services/alert/links.ts'
import type { Change } from '../../services/alert/state-machine.ts'
import { HOUR, MINUTE, NOON, verdictOf } from './alert-samples.ts'

const GRAFANA = 'https://grafana.example.com/spanmeter'

describe('a link', () => {
  const variables = new Map([
    ['from', '1'],
    ['to', '2'],
    ['tenant', 'a&b=c/d e?#"<ü{{from}}'],
    ['user', ''],
    ['broken', 'a\uD800'],
  ])

  test.each([
    ['{{grafana}}/d/cost?from={{from}}&to={{to}}', `${GRAFANA}/d/cost?from=1&to=2`],
    ['{{{grafana}}}/d/cost', `${GRAFANA}/d/cost`],
    [
      '{{grafana}}/d/cost?var-tenant={{tenant}}&var-user={{user}}',
      `${GRAFANA}/d/cost?var-tenant=a%26b%3Dc%2Fd%20e%3F%23%22%3C%C3%BC%7B%7Bfrom%7D%7D&var-user=`,
    ],
    [
      'https://wiki.example.com/{{{tenant}}}',
      'https://wiki.example.com/a%26b%3Dc%2Fd%20e%3F%23%22%3C%C3%BC%7B%7Bfrom%7D%7D',
    ],
    ['https://wiki.example.com/{{broken}}', 'https://wiki.example.com/a%EF%BF%BD'],
    [' http://localhost:3000/d/cost ', 'http://localhost:3000/d/cost'],
    ['', ''],
    ['/d/cost', ''],
    ['javascript:alert(1)', ''],
    ['https://', ''],
    ['https://a b/', ''],
    ['https:///d/cost', ''],
    ['{{tenant}}', ''],
  ])('%s', (template, link) => {
    expect(renderLink(template, variables, GRAFANA)).toBe(link)
  })

  test('leads nowhere without an address of Grafana, but where it names no Grafana', () => {
    expect(renderLink('{{grafana}}/d/cost', variables, '')).toBe('')
    expect(renderLink('{{grafana}}//evil.example/d', variables, '')).toBe('')
    expect(renderLink('https://wiki.example.com/', variables, '')).toBe('https://wiki.example.com/')
  })

  test('is the address that was given, as its parts come back', () => {
    const link = renderLink('{{grafana}}/d?var-tenant={{tenant}}', variables, GRAFANA)
    expect(new URL(link).searchParams.get('var-tenant')).toBe(variables.get('tenant'))
  })
})

describe('the time that a graph shows', () => {
  const change: Change = {
    state: 'firing',
    previous: 'inactive',
    reason: 'condition',
    timeMs: NOON,
    firingSinceMs: NOON,
    notify: true,
    mutedBy: '',
  }
  const range = (windowMs: number, more: Partial<Change> = {}) => {
    const window = { windowStartMs: NOON - windowMs }
    const { fromMs, toMs } = graphRange(verdictOf('bad', NOON, window), { ...change, ...more })
    return [(fromMs - NOON) / MINUTE, (toMs - NOON) / MINUTE]
  }

  test.each([
    ['a quarter of an hour before a short window', MINUTE, -16],
    ['as much before the window as it is long', HOUR, -120],
    ['at most a day before a long window', 72 * HOUR, -96 * 60],
  ])('is %s, and a little after it', (_what, windowMs, from) => {
    expect(range(windowMs)).toEqual([from, 5])
    expect(range(windowMs, { state: 'pending', firingSinceMs: 0 })).toEqual([from, 5])
  })

  test('is all of an incident that is over', () => {
    const over = { state: 'resolved', firingSinceMs: NOON - 300 * MINUTE } as const
    expect(range(HOUR, over)).toEqual([-360, 5])
  })

  test('is about the change where there is no window', () => {
    const none = { windowStartMs: 0, windowEndMs: 0 }
    const gone: Change = { ...change, state: 'resolved', firingSinceMs: NOON - 10 * MINUTE }
    expect(graphRange(verdictOf('nothing', 0, none), gone)).toEqual({
      fromMs: NOON - 25 * MINUTE,
      toMs: NOON + 5 * MINUTE,
    })
  })
})
