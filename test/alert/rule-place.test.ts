import { describe, expect, test } from 'vitest'
import { mistakesIn } from './rule-texts.ts'

/** A rule of which some lines are wrong; its name is on line 2, and what is given from line 3 on. */
function rule(...lines: readonly string[]): string {
  return ['rules:', '  - name: one', ...lines.map((line) => `    ${line}`)].join('\n')
}
/** The same, of what is right but for a few lines. */
const counting = (...lines: readonly string[]) =>
  rule('metric: count', 'window: 5m', 'condition: { above: 1 }', ...lines)
const spending = (condition: string, ...lines: readonly string[]) =>
  rule('metric: sum(cost)', 'window: 1h', `condition: { ${condition} }`, ...lines)
const burning = (burn: string, metric = 'error_rate') =>
  rule(`metric: ${metric}`, `condition: { burn: { ${burn} } }`)
const budgeting = (budget: string, ...lines: readonly string[]) =>
  rule('metric: sum(cost)', `condition: { budget: { ${budget} } }`, ...lines)
const all = (...parts: readonly string[]) =>
  rule('condition:', '  all:', ...parts.map((part) => `    - ${part}`))
const PART = '{ metric: count, window: 5m, condition: { above: 1 } }'

describe('A mistake is told with its file, its line and its place:', () => {
  test.each<[string, string, string]>([
    ['a file that is no YAML', 'rules: [', 'rules-1.yaml is not YAML'],
    ['a file that is a list', '- a', 'rules-1.yaml line 1'],
    ['a word that no file has', 'ruless: []', 'line 1, ruless: is not known here'],
    [
      'a word that no rule has',
      counting('widnow: 1m'),
      'line 6, rules.0.widnow: is not known here',
    ],
    ['a rule that is a text', 'rules: [one]', 'line 1, rules.0: '],
    ['a rule without a name', 'rules:\n  - metric: count', 'line 2, rules.0.name: must be a text'],
    [
      'a name with capitals',
      'rules:\n  - name: One',
      'line 2, rules.0.name: must be small letters',
    ],
    ['a rule without a condition', rule('metric: count'), 'line 2, rules.0.condition: is missing'],
    [
      'a name twice',
      `${counting()}\n${counting().split('\n').slice(1).join('\n')}`,
      'line 6, rules.1.name: is that of rules.0, in the same file',
    ],
    ['a lateness that is none', 'allowed_lateness: 5', 'line 1, allowed_lateness: "5" is not'],
    [
      'a lateness of weeks',
      'allowed_lateness: 2w',
      'allowed_lateness: "2w" is not a duration of up to 1d',
    ],
    [
      'a rule that is switched off and not there',
      `disable:\n  - two\n${counting()}`,
      'line 2, disable.0: there is no rule "two"; there are one',
    ],
    [
      'a source that is none',
      counting('source: span'),
      'line 6, rules.0.source: must be one of spans',
    ],
    ['no metric', rule('window: 5m', 'condition: { above: 1 }'), 'line 2, rules.0: needs a metric'],
    [
      'a metric that is none',
      rule('metric: p100(duration)', 'window: 5m', 'condition: { above: 1 }'),
      'line 3, rules.0.metric: "p100(duration)" is none of count',
    ],
    [
      'P0',
      rule('metric: p0(duration)', 'window: 5m', 'condition: { above: 1 }'),
      'line 3, rules.0.metric: "p0(duration)" is none',
    ],
    [
      'a value that spans do not have',
      rule('metric: mean(score)', 'window: 5m', 'condition: { above: 1 }'),
      'line 3, rules.0.metric: spans have no value "score"; they have cost, tokens',
    ],
    [
      'a value of what can only be counted',
      rule('metric: mean(cost)', 'source: dead_letters', 'window: 5m', 'condition: { above: 1 }'),
      'line 3, rules.0.metric: dead_letters have no value "cost"; they can only be counted',
    ],
    [
      'a sum that says nothing',
      rule('metric: sum(duration)', 'window: 5m', 'condition: { above: 1s }'),
      'line 3, rules.0.metric: sum(duration) says nothing',
    ],
    [
      'a rate of nothing',
      rule('metric: rate', 'window: 5m', 'condition: { above: 1% }'),
      'line 3, rules.0.metric: needs bad',
    ],
    [
      'bad beside a count',
      counting('bad: { status: error }'),
      'line 6, rules.0.bad: belongs to the metric rate',
    ],
    [
      'an error rate of evaluations',
      rule('metric: error_rate', 'source: evaluations', 'window: 5m', 'condition: { above: 1% }'),
      'line 3, rules.0.metric: error_rate is one of spans',
    ],
    [
      'a limit of what is bad in another unit',
      rule(
        'metric: rate',
        'bad: { duration: above 5 USD }',
        'window: 5m',
        'condition: { above: 1% }',
      ),
      'line 4, rules.0.bad.duration: "above 5 USD" is not "above" and a duration',
    ],
    [
      'a lower limit of what is bad',
      rule('metric: rate', 'bad: { duration: below 5s }', 'window: 5m', 'condition: { above: 1% }'),
      'line 4, rules.0.bad.duration: "below 5s" is not "above"',
    ],
    [
      'two limits of what is bad',
      rule(
        'metric: rate',
        'bad: { ttft: above 5s, duration: above 5s }',
        'window: 5m',
        'condition: { above: 1% }',
      ),
      'line 4, rules.0.bad: has more than one value',
    ],
    [
      'figures of the pipeline that are not told apart',
      rule('metric: mean(gauge)', 'source: system', 'window: 5m', 'condition: { above: 1 }'),
      'line 2, rules.0.where: needs an observation: one of lag, watermark_lag',
    ],
    [
      'a dimension in where that is none',
      counting('where:', '  modle: gpt-4o'),
      'line 7, rules.0.where.modle: spans have no dimension "modle"; they have tenant',
    ],
    [
      'a test of a dimension that is none',
      counting('where: { kind: { is: llm } }'),
      'line 6, rules.0.where.kind: must be a value',
    ],
    [
      'a dimension in by that is none',
      counting('by: [tenant, tier]'),
      'line 6, rules.0.by.1: spans have no dimension "tier"',
    ],
    [
      'a key of no map',
      counting('by: [attributes.]'),
      'line 6, rules.0.by.0: spans have no dimension "attributes."',
    ],
    [
      'a dimension twice',
      counting('by: [tenant, tenant]'),
      'line 6, rules.0.by: has a dimension twice',
    ],
    [
      'contributors that are none',
      counting('contributors: modle'),
      'line 6, rules.0.contributors: spans have no',
    ],
    [
      'contributors of which a group has one',
      counting('by: [tenant]', 'contributors: tenant'),
      'line 7, rules.0.contributors: is in by already',
    ],
    [
      'no window',
      rule('metric: count', 'condition: { above: 1 }'),
      'line 2, rules.0: needs a window',
    ],
    [
      'a window that is none',
      rule('metric: count', 'window: 5', 'condition: { above: 1 }'),
      'line 4, rules.0.window: "5" is not a duration',
    ],
    [
      'an empty window',
      rule('metric: count', 'window: 0s', 'condition: { above: 1 }'),
      'line 4, rules.0.window: "0s" is not',
    ],
    [
      'a window that is not whole steps',
      counting('every: 2m'),
      'line 4, rules.0.window: 5m is no multiple of every, 2m',
    ],
    [
      'a window of half a second',
      rule('metric: count', 'window: 500ms', 'condition: { above: 1 }'),
      'line 4, rules.0.window: 500ms is no multiple of the default of every, 1s',
    ],
    [
      'a window of a year',
      rule('metric: count', 'window: 365d', 'condition: { above: 1 }'),
      'line 4, rules.0.window: 365d is longer than 60d',
    ],
    [
      'steps that are no seconds',
      counting('every: 1500ms'),
      'line 6, rules.0.every: must be whole seconds',
    ],
    [
      'more steps than can be kept',
      spending('above: 2x, baseline: { trailing: 60d }', 'every: 1m'),
      'line 2, rules.0: looks back at more than 50000 steps; every must be at least 2m',
    ],
    [
      'no limit',
      spending('resolve: 1 USD'),
      'line 5, rules.0.condition: needs one of above and below',
    ],
    [
      'two limits',
      spending('above: 1 USD, below: 2 USD'),
      'line 5, rules.0.condition: needs one of above and below',
    ],
    [
      'a limit in another unit',
      spending('above: 5s'),
      'line 5, rules.0.condition.above: "5s" is not an amount such as 100 USD',
    ],
    [
      'a limit without a unit',
      spending('above: 5'),
      'line 5, rules.0.condition.above: "5" is not an amount',
    ],
    [
      'so many times of nothing',
      spending('above: 2x'),
      '"2x" is not an amount such as 100 USD; so many times of what needs a baseline',
    ],
    ['a rise from nothing', spending('up: 10%'), 'line 5, rules.0.condition.up: needs a baseline'],
    [
      'a floor without a baseline',
      spending('above: 5 USD, floor: 1 USD'),
      'line 5, rules.0.condition.floor: belongs to a baseline',
    ],
    [
      'a resolve that is no way back',
      spending('above: 5 USD, resolve: 6 USD'),
      'line 5, rules.0.condition.resolve: would resolve what still holds',
    ],
    [
      'a resolve below a lower limit',
      spending('below: 5 USD, resolve: 4 USD'),
      'rules.0.condition.resolve: would resolve what still holds',
    ],
    [
      'a limit in units of a baseline',
      spending('above: 5 USD, baseline: { trailing: 1d }'),
      '"5 USD" is not so many times the baseline',
    ],
    [
      'a fall that is no percentage',
      spending('down: 0.9x, baseline: { trailing: 1d }'),
      '"0.9x" is not a percentage of the baseline',
    ],
    [
      'a fall below nothing',
      spending('down: 110%, baseline: { trailing: 1d }'),
      'rules.0.condition.down: nothing goes down by more',
    ],
    [
      'a resolve further down',
      spending('down: 10%, resolve: 20%, baseline: { trailing: 1d }'),
      'rules.0.condition.resolve: would resolve',
    ],
    [
      'a baseline of nothing',
      spending('above: 2x, baseline: {}'),
      'line 5, rules.0.condition.baseline: needs either trailing or first',
    ],
    [
      'two baselines',
      spending('above: 2x, baseline: { trailing: 1d, first: 9 }'),
      'rules.0.condition.baseline: needs either trailing or first',
    ],
    [
      'first values of a sum',
      spending('above: 2x, baseline: { first: 9 }'),
      'rules.0.condition.baseline.first: is a mean',
    ],
    [
      'a baseline that is not whole steps',
      spending('above: 2x, baseline: { trailing: 7m }', 'every: 2m'),
      'line 5, rules.0.condition.baseline.trailing: 7m is no multiple of every, 2m',
    ],
    [
      'two kinds of condition',
      spending('above: 1 USD, budget: { limit: 1 USD, period: day }'),
      'line 5, rules.0.condition: must be one kind',
    ],
  ])('%s', (_, text, expected) => {
    expect(mistakesIn(text)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]))
  })

  test.each<[string, string, string]>([
    [
      'a burn rate of nothing',
      burning('period: 30d'),
      'line 4, rules.0.condition.burn: needs either an objective',
    ],
    [
      'an objective of an amount',
      burning('objective: 99%', 'sum(cost)'),
      'rules.0.condition.burn.objective: belongs to the metrics rate and error_rate',
    ],
    [
      'a budget of a rate',
      burning('budget: 5 USD'),
      'rules.0.condition.burn.budget: belongs to the metrics sum(…) and count',
    ],
    [
      'an objective of all',
      burning('objective: 100%'),
      '"100%" is not a percentage above 0% and below 100%',
    ],
    [
      'a budget in another unit',
      burning('budget: 5s', 'sum(cost)'),
      'rules.0.condition.burn.budget: "5s" is not',
    ],
    [
      'a rate that cannot be',
      burning('objective: 90%, levels: [{ rate: 14.4, long: 1h, short: 5m }]'),
      'rules.0.condition.burn.levels.0: can never hold',
    ],
    [
      'a short window that is longer',
      burning('objective: 99%, levels: [{ rate: 2, long: 1h, short: 2h }]'),
      'rules.0.condition.burn.levels.0.short: must be shorter than long',
    ],
    [
      'a window longer than the period',
      burning('objective: 99%, period: 1d, levels: [{ rate: 2, long: 2d, short: 1h }]'),
      'rules.0.condition.burn.levels.0.long: is longer than 1d',
    ],
    [
      'a rate twice',
      burning(
        'objective: 99%, levels: [{ rate: 2, long: 2h, short: 1h }, { rate: 2.0, long: 3h, short: 1h }]',
      ),
      'rules.0.condition.burn.levels: has a rate twice',
    ],
    [
      'a rate that is no number',
      burning('objective: 99%, levels: [{ rate: 2x, long: 2h, short: 1h }]'),
      'rules.0.condition.burn.levels.0.rate: "2x" is not a number',
    ],
    [
      'no limit of a budget',
      budgeting('period: day'),
      'line 4, rules.0.condition.budget.limit: must be a text',
    ],
    [
      'a limit of a budget in another unit',
      budgeting('limit: 5s, period: day'),
      'rules.0.condition.budget.limit: "5s" is not an amount',
    ],
    [
      'a period that is none',
      budgeting('limit: 5 USD, period: year'),
      'rules.0.condition.budget.period: must be one of hour, day',
    ],
    [
      'a part that is none',
      budgeting('limit: 5 USD, period: day, at: [50]'),
      'rules.0.condition.budget.at.0: "50" is not a percentage',
    ],
    [
      'a part twice',
      budgeting('limit: 5 USD, period: day, at: [50%, 50.0%]'),
      'rules.0.condition.budget.at: has a part twice',
    ],
    [
      'no part',
      budgeting('limit: 5 USD, period: day, at: []'),
      'rules.0.condition.budget.at: needs a part',
    ],
    [
      'a time zone that is none',
      budgeting('limit: 5 USD, period: day, time_zone: Berlin'),
      'rules.0.condition.budget.time_zone: "Berlin" is not a time zone',
    ],
    [
      'a cycle of a day',
      budgeting('limit: 5 USD, period: day, cycle_day: 3'),
      'rules.0.condition.budget.cycle_day: belongs to a week or a month, not to a day',
    ],
    [
      'a ninth day of a week',
      budgeting('limit: 5 USD, period: week, cycle_day: 9'),
      'rules.0.condition.budget.cycle_day: is a day of the week',
    ],
    [
      'a 30th day of each month',
      budgeting('limit: 5 USD, period: month, cycle_day: 30'),
      'rules.0.condition.budget.cycle_day: must be a whole number from 1 to 28',
    ],
    [
      'an override by what is not in by',
      budgeting('limit: 5 USD, period: day, overrides: [{ match: { tenant: a }, limit: 9 USD }]'),
      'rules.0.condition.budget.overrides.0.match.tenant: is not in by',
    ],
    [
      'an override in no time zone',
      budgeting(
        'limit: 5 USD, period: day, overrides: [{ match: { tenant: a }, time_zone: X }]',
        'by: [tenant]',
      ),
      'rules.0.condition.budget.overrides.0.time_zone: "X" is not a time zone',
    ],
    [
      'an override of everything',
      budgeting('limit: 5 USD, period: day, overrides: [{ match: {}, limit: 9 USD }]'),
      'rules.0.condition.budget.overrides.0.match: matches everything',
    ],
    [
      'a budget of a mean',
      rule('metric: mean(cost)', 'condition: { budget: { limit: 1 USD, period: day } }'),
      'rules.0.condition.budget: belongs to the metrics sum(…) and count',
    ],
    [
      'a window of a budget',
      budgeting('limit: 5 USD, period: day', 'window: 1h'),
      'line 5, rules.0.window: belongs to a condition that compares',
    ],
    [
      'steps of a budget',
      budgeting('limit: 5 USD, period: day', 'every: 1h'),
      'line 5, rules.0.every: follows from the period',
    ],
    [
      'windows in a row of a budget',
      budgeting('limit: 5 USD, period: day', 'for: 2'),
      'line 5, rules.0.for: says nothing of a budget',
    ],
    ['one condition of several', all(PART), 'rules.0.condition.all: must have at least two parts'],
    [
      'a metric beside several',
      `${all(PART, PART)}\n    metric: count`,
      'line 7, rules.0.metric: belongs to each part of all',
    ],
    [
      'a where beside several',
      `${all(PART, PART)}\n    where: { kind: llm }`,
      'line 7, rules.0.where: belongs to each part of all',
    ],
    [
      'a source beside several',
      `${all(PART, PART)}\n    source: system`,
      'line 7, rules.0.source: belongs to each part of all',
    ],
    [
      'a not that stands first',
      all(`not: ${PART}`, PART),
      'line 5, rules.0.condition.all.0: must not be a not',
    ],
    [
      'a part that is also a not',
      all(PART, `{ not: ${PART}, window: 1m }`),
      'line 6, rules.0.condition.all.1: is either a part or a not',
    ],
    [
      'a part without a condition',
      all(PART, '{ metric: count, window: 5m }'),
      'line 6, rules.0.condition.all.1: needs a condition',
    ],
    [
      'a part without a window',
      all(PART, '{ metric: count, condition: { above: 1 } }'),
      'line 6, rules.0.condition.all.1: needs a window',
    ],
    [
      'a mistake in a not',
      all(PART, 'not: { metric: count, window: 7m, condition: { above: 1s } }'),
      'line 6, rules.0.condition.all.1.not.condition.above: "1s" is not a number',
    ],
    [
      'a dimension that one of several sources does not have',
      `${all(PART, '{ metric: count, source: evaluations, window: 5m, condition: { above: 1 } }')}\n    by: [endpoint]`,
      'line 7, rules.0.by.0: evaluations have no dimension "endpoint"',
    ],
    [
      'a template that names nothing',
      counting("summary: '{{modle}}'"),
      'line 6, rules.0.summary: nothing is known of {{modle}} here; known are value',
    ],
    [
      'a dimension that is not in by',
      counting("link: '{{{model}}}'"),
      'line 6, rules.0.link: nothing is known of {{model}}',
    ],
    [
      'an unknown name in a section',
      counting("summary: '{{#baseline}}{{usual}}{{/baseline}}'"),
      'rules.0.summary: nothing is known of {{usual}}',
    ],
    [
      'a template that is none',
      counting("annotations: { a: '{{value' }"),
      'line 6, rules.0.annotations.a: is no template: Unclosed tag',
    ],
    [
      'a template of others',
      counting("summary: '{{>other}}'"),
      'rules.0.summary: nothing is known of {{>other}}',
    ],
    [
      'a label that is no name',
      counting('labels: { my-team: a }'),
      'line 6, rules.0.labels.my-team',
    ],
    [
      'a reminder that is none',
      counting('renotify: daily'),
      'line 6, rules.0.renotify: "daily" is not a duration',
    ],
    [
      'one firing that flaps',
      counting('flap: { firings: 1, within: 1h }'),
      'line 6, rules.0.flap.firings: must be a whole number from 2',
    ],
    [
      'a time of flapping that is none',
      counting('flap: { firings: 3, within: 1 }'),
      'line 6, rules.0.flap.within: "1" is not',
    ],
    [
      'a number of windows that is none',
      counting('for: 5m'),
      'line 6, rules.0.for: must be a whole number from 1',
    ],
    [
      'a severity that is none',
      counting('severity: high'),
      'line 6, rules.0.severity: must be one of info, warning, critical',
    ],
    [
      'a maintenance that ends before',
      counting('maintenance: [{ name: a, from: 2026-02-01, until: 2026-01-01 }]'),
      'line 6, rules.0.maintenance.0.until: must be after from',
    ],
    [
      'a maintenance of no time',
      counting('maintenance: [{ name: a, from: 02:00, until: 2:00 }]'),
      'line 6, rules.0.maintenance.0.until: must not be the same',
    ],
    [
      'a maintenance on no day',
      counting('maintenance: [{ name: a, from: 02:00, until: 3:00, days: [sun] }]'),
      'line 6, rules.0.maintenance.0.days.0: must be one of monday',
    ],
    [
      'a maintenance in no time zone',
      counting('maintenance: [{ name: a, from: 02:00, until: 3:00, time_zone: X }]'),
      'rules.0.maintenance.0.time_zone: "X" is not a time zone',
    ],
    [
      'a maintenance that starts never',
      counting('maintenance: [{ name: a, from: soon, until: later }]'),
      'rules.0.maintenance.0.from: "soon" is not a time',
    ],
    [
      'a maintenance that is a text',
      counting('maintenance: [a]'),
      'line 6, rules.0.maintenance.0: ',
    ],
  ])('%s', (_, text, expected) => {
    expect(mistakesIn(text)).toEqual(expect.arrayContaining([expect.stringContaining(expected)]))
  })
})

test('All mistakes of all files are told at once, and no others', () => {
  const first = [
    'rules:',
    '  - name: One',
    '    metric: count',
    '    window: 5m',
    '    condition: { above: 1s }',
    '  - name: two',
    '    metric: sum(cost)',
    '    window: 5m',
    '    every: 2m',
    '    by: [modle]',
    '    condition: { above: 2 }',
    "    summary: '{{tenant}}'",
  ].join('\n')
  const told = mistakesIn(first, 'rules: [', 'disable: [three]')
  expect(told.filter((line) => line.startsWith('rules-'))).toEqual(
    [
      'rules-1.yaml line 2, rules.0.name: must be small letters',
      'rules-1.yaml line 8, rules.1.window: 5m is no multiple',
      'rules-1.yaml line 10, rules.1.by.0: spans have no dimension',
      'rules-1.yaml line 11, rules.1.condition.above: "2" is not',
      'rules-1.yaml line 12, rules.1.summary: nothing is known',
      'rules-2.yaml is not YAML: ',
      'rules-3.yaml line 1, disable.0: there is no rule "three"',
    ].map((start) => expect.stringContaining(start)),
  )
})

test('A mistake makes no others', () => {
  const text = rule('metric: p95(durration)', 'window: 5', 'every: x', 'condition: { above: 5s }')
  expect(mistakesIn(text)).toHaveLength(3)
  expect(
    mistakesIn(
      budgeting('limit: 5 USD, period: day, time_zone: X, overrides: [{ match: { a: b } }]'),
    ),
  ).toHaveLength(2)
})
