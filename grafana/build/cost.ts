import {
  GraphDrawStyle,
  StackingConfigBuilder,
  StackingMode,
} from '@grafana/grafana-foundation-sdk/common'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { costTables } from './cost-tables.ts'
import { dashboard } from './dashboard.ts'
import { tracesBehind } from './links.ts'
import {
  bars,
  colored,
  graph,
  judged,
  neutral,
  painted,
  stat,
  table,
  thresholds,
} from './panels.ts'
import { choice, input, splitBy } from './variables.ts'

const SPLIT = '${__field.labels.split}'
/** What the graphs are split by; `prompt` is a prompt's name with its version. */
const DIMENSIONS = [
  'model',
  'feature',
  'tenant',
  'team',
  'environment',
  'cost_centre',
  'user_tier',
  'user',
  'prompt',
]

/** What calls cost, whom, and where the month is going. */
export function cost(): Dashboard {
  return dashboard({
    name: 'cost',
    title: 'Cost',
    description: 'What calls of models cost, whom, and where the month is going.',
    from: 'now-7d',
    refresh: '1m',
    variables: [
      choice('user_tier', 'User tier', 'The tier of the user.', 'billed_user_tier'),
      choice('prompt_version', 'Prompt version', 'Of the prompt.', 'billed_prompt_version'),
      input('user', 'User', 'One user, as spans name it; empty for all.'),
      splitBy(DIMENSIONS),
      input('budget', 'USD a month', 'What may be spent in a month by what is chosen.', '3000'),
    ],
    top: [spend(), month(), burn(), range()],
    rows: [
      { title: 'Budgets', panels: [budgets()] },
      { title: 'Who spends it', panels: costTables() },
      { title: 'Cost per call', panels: [perCall()] },
      { title: 'What is not counted', panels: [untagged(), unpriced(), drift()] },
      { title: 'Cache', panels: [cache(), cacheTokens()] },
    ],
  })
}

function spend() {
  return graph({
    title: 'Spend per hour by ${split}',
    description:
      'What priced calls cost, as USD per hour, the twelve dearest and others. The rule spend-hour fires above 10 USD in an hour.',
    query: 'cost/spend',
    unit: 'currencyUSD',
    width: 14,
    height: 11,
  })
    .interval('1h')
    .displayName(SPLIT)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .dataLinks([tracesBehind({ order: 'cost' })])
}

/** What spend is compared with. */
const thin = [
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'custom.lineWidth', value: 1 },
]

function month() {
  return graph({
    title: 'This month against ${budget} USD',
    description:
      'What was spent since the month (UTC) began, the budget, and what it comes to when spent evenly.',
    query: 'cost/month',
    unit: 'currencyUSD',
    width: 10,
    height: 11,
  })
    .timeFrom('now/M')
    .overrideByName('even pace', [...thin, painted('yellow')])
    .overrideByName('budget', [...thin, painted('red')])
}

function burn() {
  return stat({
    title: 'Spend up to the end of the range',
    description:
      'Of the tenants, environments, models and features that are chosen. Projected: the month so far and the rate of the last day for the rest of it. At this rate: the last hour times 720 hours.',
    query: 'cost/stats',
    unit: 'currencyUSD',
    width: 15,
    height: 5,
  })
    .thresholds(neutral())
    .overrideByName('last hour', [judged(thresholds([10, 'orange'], [50, 'red']))])
    .overrideByName('today', [judged(thresholds([80, 'yellow'], [100, 'red']))])
    .overrideByRegexp('/month/', [
      judged(thresholds([1_500, 'yellow'], [2_400, 'orange'], [3_000, 'red'])),
    ])
}

function range() {
  return stat({
    title: 'The range',
    description: 'All that is chosen, by whole hours; calls without a price are not in USD.',
    query: 'cost/range',
    unit: 'short',
    width: 9,
    height: 5,
  })
    .thresholds(neutral())
    .overrideByRegexp('/^(spent|per call)$/', [{ id: 'unit', value: 'currencyUSD' }])
    .overrideByName('per call', [{ id: 'decimals', value: 5 }])
    .overrideByName('without price', [judged(thresholds([1, 'yellow']))])
}

function budgets() {
  return table({
    title: 'Features of tenants against ${budget} USD a month',
    description:
      'The rule tenant-feature-month tells at 50, 80 and 100 % of a budget, and when the projected month is above it.',
    query: 'cost/budgets',
    unit: 'currencyUSD',
    width: 24,
    height: 10,
  }).overrideByRegexp('/of budget$/', [
    { id: 'unit', value: 'percentunit' },
    ...colored(thresholds([0.5, 'yellow'], [0.8, 'orange'], [1, 'red'])),
  ])
}

function perCall() {
  return graph({
    title: 'Cost per call by ${split}',
    description: 'What a call with a price cost on average, of the twelve dearest.',
    query: 'cost/per_call',
    unit: 'currencyUSD',
    width: 24,
    height: 9,
  })
    .interval('1h')
    .displayName(SPLIT)
    .decimals(5)
    .fillOpacity(0)
}

function untagged() {
  return table({
    title: 'Untagged',
    description: 'What lacks a tag, so that nobody can be charged for it by that tag.',
    query: 'cost/untagged',
    unit: 'short',
    width: 12,
    height: 9,
  })
    .overrideByName('usd without', [{ id: 'unit', value: 'currencyUSD' }])
    .overrideByRegexp('/^of /', [
      { id: 'unit', value: 'percentunit' },
      ...colored(thresholds([0.05, 'yellow'], [0.2, 'red'])),
    ])
}

function unpriced() {
  return table({
    title: 'Without a price',
    description: 'Models of whose calls some have no price: their cost is in no sum here.',
    query: 'cost/unpriced',
    unit: 'short',
    width: 12,
    height: 9,
  }).overrideByName('of its calls', [{ id: 'unit', value: 'percentunit' }])
}

function drift() {
  return table({
    title: 'Reported against computed',
    description:
      'What calls themselves report that they cost, against what they cost by the price list; empty when none reports it.',
    query: 'cost/drift',
    unit: 'currencyUSD',
    width: 24,
    height: 8,
  }).overrideByName('of price list', [
    { id: 'unit', value: 'percentunit' },
    ...colored(thresholds([0.02, 'yellow'], [0.1, 'red'])),
  ])
}

function cache() {
  return graph({
    title: 'Read from caches by model',
    description:
      'The share of input tokens that providers read from their caches, which costs a part of what new input does.',
    query: 'cost/cache',
    unit: 'percentunit',
    width: 14,
    height: 9,
  })
    .displayName('${__field.labels.model}')
    .max(1)
    .fillOpacity(0)
}

function cacheTokens() {
  return bars({
    title: 'Input tokens and caches',
    description: 'Input tokens of the range: read from a cache, written to one, or neither.',
    query: 'cost/cache_tokens',
    unit: 'short',
    width: 10,
    height: 9,
  }).stacking(StackingMode.Normal)
}
