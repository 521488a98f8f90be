import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { dashboard } from './dashboard.ts'
import { linksOf, openTrace, tracesBehind } from './links.ts'
import {
  bars,
  dashed,
  graph,
  heatmap,
  painted,
  type PanelOptions,
  table,
  thresholds,
} from './panels.ts'
import { choice, splitBy } from './variables.ts'

/** How long calls of models take, until the first token and in all, and which of them take longer. */
export function latency(): Dashboard {
  return dashboard({
    name: 'latency',
    title: 'Latency',
    description: 'How long calls of models take, until the first token and in all.',
    from: 'now-6h',
    refresh: '30s',
    variables: [
      choice('provider', 'Provider', 'Who runs the model.'),
      choice('service', 'Service', 'The program that made the call.'),
      splitBy(['provider', 'endpoint', 'operation', 'feature', 'service', 'model']),
    ],
    top: [percentiles(), byModel(), firstToken()],
    rows: [
      { title: 'By ${split}', panels: [figures(), ...splits()] },
      { title: 'Distribution of latency', panels: distribution('latency') },
      { title: 'Distribution of the time to the first token', panels: distribution('first_token') },
      { title: 'Length of answers', panels: distribution('output') },
      { title: 'Speed', panels: [speed()] },
      { title: 'Slowest calls', panels: [slowest()] },
    ],
  })
}

const big = { width: 8, height: 11 }

function percentiles() {
  const unseen = [
    painted('semi-dark-blue'),
    { id: 'custom.lineWidth', value: 0 },
    { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
  ]
  return graph({
    title: 'Latency of all calls',
    description:
      'P50, P95 and P99. The band is where P95 usually is: the median of the 60 points before, ± about two standard deviations.',
    query: 'latency/percentiles',
    unit: 'ms',
    ...big,
  })
    .fillOpacity(0)
    .thresholds(thresholds([3_000, 'yellow'], [5_000, 'red']))
    .thresholdsStyle(dashed())
    .overrideByName('P50', [painted('green'), { id: 'custom.lineWidth', value: 1 }])
    .overrideByName('P95', [painted('orange')])
    .overrideByName('P99', [painted('red'), { id: 'custom.lineWidth', value: 1 }])
    .overrideByName('usual from', [...unseen, { id: 'custom.fillOpacity', value: 0 }])
    .overrideByName('usual to', [
      ...unseen,
      { id: 'custom.fillOpacity', value: 18 },
      { id: 'custom.fillBelowTo', value: 'usual from' },
    ])
    .dataLinks([tracesBehind()])
}

function byModel() {
  return lines({
    title: 'P95 latency by model',
    description:
      '95 of 100 calls took no longer. Yellow from 3 s, red from 5 s, where the rule latency-p95 fires.',
    query: 'latency/by_model',
    unit: 'ms',
    ...big,
  })
    .thresholds(thresholds([3_000, 'yellow'], [5_000, 'red']))
    .thresholdsStyle(dashed())
}

function firstToken() {
  return lines({
    title: 'P95 time to first token by model',
    description: '95 of 100 calls that tell it had their first token by then.',
    query: 'latency/by_model_first_token',
    unit: 'ms',
    ...big,
  })
}

function speed() {
  return lines({
    title: 'Tokens per second by model',
    description:
      'Output tokens for each second that calls took, the wait for the first token and failed calls with them.',
    query: 'latency/by_model_speed',
    unit: 'short',
    width: 24,
    height: 9,
  })
}

/** A line for each model, which leads to its traces. */
function lines(options: PanelOptions) {
  const model = '${__field.labels.model}'
  return graph(options)
    .displayName(model)
    .fillOpacity(0)
    .dataLinks([tracesBehind({ model })])
}

/** The same by whatever is chosen; of many values those with the most calls. */
function splits() {
  const graphs = [
    ['P95 latency', 'latency/split', 'ms'],
    ['P95 time to first token', 'latency/split_first_token', 'ms'],
    ['Tokens per second', 'latency/split_speed', 'short'],
  ] as const
  return graphs.map(([title, query, unit]) =>
    graph({
      title: `${title} by \${split}`,
      description: `${title} of the twelve that have the most calls.`,
      query,
      unit,
      width: 8,
      height: 9,
    })
      .displayName('${__field.labels.split}')
      .fillOpacity(0)
      .dataLinks([tracesBehind()]),
  )
}

function figures() {
  return table({
    title: 'Latency by ${split}',
    description: 'Percentiles of the whole range; they are 1 % off at most.',
    query: 'latency/table',
    unit: 'ms',
    width: 24,
    height: 10,
  })
    .overrideByName('calls', [{ id: 'unit', value: 'short' }])
    .overrideByName('tokens per second', [
      { id: 'unit', value: 'short' },
      { id: 'decimals', value: 1 },
    ])
    .overrideByName('split', [{ id: 'displayName', value: '${split}' }])
}

/** What is distributed, with its unit and the texts of its heatmap and of its bars. */
const DISTRIBUTIONS = {
  latency: ['ms', 'Latency over time', 'Calls by latency', 'How long calls took'],
  first_token: ['ms', 'First token over time', 'Calls by first token', 'When first tokens came'],
  output: ['short', 'Answers over time', 'Calls by length of answer', 'Tokens that answers had'],
} as const

/** A heatmap over time beside bars of the whole range. */
function distribution(what: keyof typeof DISTRIBUTIONS) {
  const [unit, overTime, over, sentence] = DISTRIBUTIONS[what]
  return [
    heatmap({
      title: overTime,
      description: `${sentence}: the calls of each bucket of the OpenTelemetry GenAI conventions; a row's label is where it begins.`,
      query: `latency/heatmap_${what}`,
      unit: 'short',
      width: 14,
      height: 10,
    }).yAxis(new YAxisConfigBuilder().unit(unit)),
    bars({
      title: over,
      description: `${sentence}: the share of calls in each bucket of the OpenTelemetry GenAI conventions.`,
      query: `latency/histogram_${what}`,
      unit: 'percentunit',
      width: 10,
      height: 10,
    }),
  ]
}

function slowest() {
  return table({
    title: 'Slowest calls',
    description: 'The twenty calls of the range that took longest. A click on a trace opens it.',
    query: 'latency/slowest',
    unit: 'short',
    width: 24,
    height: 11,
  })
    .overrideByRegexp('/^(duration|first token)$/', [{ id: 'unit', value: 'ms' }])
    .overrideByName('usd', [{ id: 'unit', value: 'currencyUSD' }])
    .overrideByName('trace', [linksOf(openTrace())])
}
