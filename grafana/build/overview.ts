import {
  GraphDrawStyle,
  LineStyleBuilder,
  StackingConfigBuilder,
  StackingMode,
} from '@grafana/grafana-foundation-sdk/common'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboard } from './dashboard.ts'
import { linkTo, tracesBehind } from './links.ts'
import { bars, dashed, floors, graph, neutral, stat, table, thresholds } from './panels.ts'

const MODEL = '${__field.labels.model}'

/** What everybody looks at first: is it fast, does it work, what does it cost. */
export function overview(): Dashboard {
  return dashboard({
    name: 'overview',
    title: 'Overview',
    description: 'Latency, errors and spend of model calls at a glance.',
    from: 'now-3h',
    refresh: '5s',
    top: [latency(), errors(), spend(), ...health()],
    rows: [
      { title: 'Models', panels: [models()] },
      { title: 'Tokens', panels: [tokens(), tokensByFeature()] },
      { title: 'Quality and drift', panels: [quality(), drift()] },
      { title: 'Alerts', panels: [alerts()] },
    ],
  })
}

/** P50 and P99 step back behind P95, which rules and people judge by. */
const faint = [
  { id: 'custom.lineWidth', value: 1 },
  { id: 'custom.fillOpacity', value: 0 },
]

function latency() {
  return graph({
    title: 'Latency by model',
    description:
      'P50, P95 and P99 of how long model calls took. Yellow from 3 s, red from 5 s, where the rule latency-p95 fires.',
    query: 'overview/latency',
    unit: 'ms',
    width: 8,
    height: 10,
  })
    .displayName(`${MODEL} \${__field.name}`)
    .thresholds(thresholds([3_000, 'yellow'], [5_000, 'red']))
    .thresholdsStyle(dashed())
    .overrideByRegexp('/P50|P99/', [
      ...faint,
      { id: 'custom.lineStyle', value: new LineStyleBuilder().fill('dash').dash([4, 6]).build() },
    ])
    .dataLinks([tracesBehind({ model: MODEL })])
}

function errors() {
  return graph({
    title: 'Errors by type',
    description:
      'The share of model calls that failed, by type of error. The rule error-rate fires above 5 % in ten minutes.',
    query: 'overview/errors',
    unit: 'percentunit',
    width: 8,
    height: 10,
  })
    .displayName('${__field.labels.error_type}')
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .stacking(stacked())
    .thresholds(thresholds([0.05, 'red']))
    .thresholdsStyle(dashed())
    .dataLinks([tracesBehind({ error: '${__field.labels.error_type}' })])
}

function spend() {
  return graph({
    title: 'Spend per hour',
    description:
      'What priced calls cost by model, as USD per hour. Calls without a price are not in it: see Unpriced below.',
    query: 'overview/spend',
    unit: 'currencyUSD',
    width: 8,
    height: 10,
  })
    .displayName(MODEL)
    .fillOpacity(40)
    .stacking(stacked())
    .dataLinks([linkTo('Where the money goes', { to: 'cost', variables: { model: MODEL } })])
}

function stacked() {
  return new StackingConfigBuilder().mode(StackingMode.Normal).group('A')
}

const small = { width: 3, height: 4 }

function health() {
  return [
    stat({
      title: 'Calls per minute',
      description: 'Model calls per minute, on average over the range.',
      query: 'overview/stat_requests',
      unit: 'short',
      ...small,
    }).thresholds(neutral()),
    stat({
      title: 'Failed',
      description: 'The share of model calls of the range that failed.',
      query: 'overview/stat_errors',
      unit: 'percentunit',
      ...small,
    }).thresholds(thresholds([0.01, 'yellow'], [0.05, 'red'])),
    stat({
      title: 'P95 latency',
      description: '95 of 100 model calls of the range took no longer.',
      query: 'overview/stat_latency',
      unit: 'ms',
      ...small,
    }).thresholds(thresholds([3_000, 'yellow'], [5_000, 'red'])),
    stat({
      title: 'P95 first token',
      description: '95 of 100 calls that tell it had their first token by then.',
      query: 'overview/stat_first_token',
      unit: 'ms',
      ...small,
    }).thresholds(thresholds([1_000, 'yellow'], [2_500, 'red'])),
    stat({
      title: 'Last hour',
      description: 'What the last hour of the range cost; the rule spend-hour fires above 10 USD.',
      query: 'overview/stat_spend',
      unit: 'currencyUSD',
      ...small,
    }).thresholds(thresholds([5, 'yellow'], [10, 'red'])),
    stat({
      title: 'Month at this rate',
      description:
        'The last hour times the 720 hours of a month; the budget that ships is 3000 USD.',
      query: 'overview/stat_month',
      unit: 'currencyUSD',
      ...small,
    }).thresholds(thresholds([2_400, 'yellow'], [3_000, 'red'])),
    stat({
      title: 'Mean score',
      description: 'The mean of all scores of the range, from 0 to 1.',
      query: 'overview/stat_quality',
      unit: 'percentunit',
      ...small,
    }).thresholds(floors([0.65, 'yellow'], [0.75, 'green'])),
    stat({
      title: 'Firing now',
      description: 'Alerts that fire at this moment, whatever the range.',
      query: 'overview/stat_alerts',
      unit: 'short',
      ...small,
    })
      .thresholds(thresholds([1, 'red']))
      .dataLinks([linkTo('All alerts', { to: 'alerts' })]),
  ]
}

function models() {
  return table({
    title: 'Models',
    description: 'Calls, failures, latency, tokens and cost of each model in the range.',
    query: 'overview/models',
    unit: 'short',
    width: 24,
    height: 9,
  })
    .overrideByRegexp('/^P\\d+$/', [{ id: 'unit', value: 'ms' }])
    .overrideByRegexp('/^(share|failed)$/', [{ id: 'unit', value: 'percentunit' }])
    .overrideByName('usd', [{ id: 'unit', value: 'currencyUSD' }])
}

function tokens() {
  return graph({
    title: 'Tokens per hour by model',
    description: 'Input and output tokens of model calls, each call once, as tokens per hour.',
    query: 'overview/tokens',
    unit: 'short',
    width: 16,
    height: 9,
  }).displayName(`${MODEL} \${__field.name}`)
}

function tokensByFeature() {
  return bars({
    title: 'Tokens by feature',
    description: 'Input and output tokens of the range by the feature that used them.',
    query: 'overview/tokens_by_feature',
    unit: 'short',
    width: 8,
    height: 9,
  })
}

function quality() {
  return graph({
    title: 'Scores',
    description: 'The mean score of each dimension that evaluators judge, from 0 to 1.',
    query: 'overview/quality',
    unit: 'percentunit',
    width: 12,
    height: 9,
  })
    .displayName('${__field.labels.score}')
    .max(1)
    .thresholds(floors([0.65, 'yellow'], [0.75, 'green']))
}

function drift() {
  return table({
    title: 'Drift',
    description:
      'The mean score of the range against that of the seven days before it, the worst first.',
    query: 'overview/drift',
    unit: 'percentunit',
    width: 12,
    height: 9,
  }).overrideByName('scores_counted', [{ id: 'unit', value: 'short' }])
}

function alerts() {
  return table({
    title: 'Alerts',
    description: 'Alerts that fired or were resolved in the range, the newest first.',
    query: 'overview/alerts',
    unit: 'string',
    width: 24,
    height: 9,
  })
}
