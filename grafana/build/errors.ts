import {
  GraphDrawStyle,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
} from '@grafana/grafana-foundation-sdk/common'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as Gauge } from '@grafana/grafana-foundation-sdk/gauge'
import { dashboard } from './dashboard.ts'
import { linksOf, linkTo, openTrace, tracesBehind } from './links.ts'
import {
  colored,
  dashed,
  floors,
  graph,
  judged,
  neutral,
  painted,
  stat,
  table,
  thresholds,
  withQuery,
} from './panels.ts'
import { choice, input, splitBy } from './variables.ts'

/** What fails and why, and how much of what may fail is left. */
export function errors(): Dashboard {
  return dashboard({
    name: 'errors',
    title: 'Errors and objectives',
    description: 'What fails and why, and how fast the budgets of the objectives are spent.',
    from: 'now-24h',
    refresh: '30s',
    variables: [
      choice('service', 'Service', 'The program that made the call.'),
      splitBy(['provider', 'endpoint', 'operation', 'feature', 'service', 'model']),
      ...objectives(),
    ],
    top: [byType(), byModel(), burnRate('errors', 8), budgets(), figures()],
    rows: [
      {
        title: 'Objectives',
        panels: [burnRates(), burnRate('latency', 12), burnRate('cost', 12)],
      },
      { title: 'Causes', panels: [messages(), endpoints(), types()] },
      { title: 'By ${split}', panels: [split()] },
    ],
  })
}

/** What the shipped rules slo-errors, slo-latency and slo-cost say; panels look at what stands here. */
function objectives() {
  return [
    input('error_objective', 'Good calls, %', 'How many of 100 calls must not fail.', '99'),
    input('latency_objective', 'Fast calls, %', 'How many of 100 calls must be fast.', '95'),
    input('slow_s', 'Fast within, s', 'Calls that take longer are slow.', '10'),
    input('budget', 'USD in 30 days', 'What may be spent in 30 days.', '3000'),
  ]
}

const big = { width: 8, height: 11 }

function byType() {
  return graph({
    title: 'Errors by type',
    description:
      'The share of model calls that failed, by type of error. Cancelled calls are shown here, but count nowhere as failures.',
    query: 'errors/by_type',
    unit: 'percentunit',
    ...big,
  })
    .displayName('${__field.labels.error_type}')
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(70)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .thresholds(thresholds([0.05, 'red']))
    .thresholdsStyle(dashed())
    .dataLinks([tracesBehind({ error: '${__field.labels.error_type}' })])
}

function byModel() {
  const model = '${__field.labels.model}'
  return graph({
    title: 'Failed calls by model',
    description:
      'The share of calls that failed, without cancelled ones. The rule error-rate fires above 5 % of a model in ten minutes.',
    query: 'errors/by_model',
    unit: 'percentunit',
    ...big,
  })
    .displayName(model)
    .fillOpacity(0)
    .thresholds(thresholds([0.05, 'red']))
    .thresholdsStyle(dashed())
    .dataLinks([tracesBehind({ model })])
}

function split() {
  return graph({
    title: 'Failed calls by ${split}',
    description:
      'The share of calls that failed, without cancelled ones, of the twelve that have the most errors.',
    query: 'errors/split',
    unit: 'percentunit',
    width: 24,
    height: 9,
  })
    .displayName('${__field.labels.split}')
    .fillOpacity(0)
    .dataLinks([tracesBehind()])
}

/** A window, the burn rate above which a rule fires for it, and the colour of both on graphs. */
const WINDOWS = [
  ['1 h', 14.4, 'red'],
  ['6 h', 6, 'orange'],
  ['1 d', 3, 'yellow'],
  ['3 d', 1, 'blue'],
] as const

const BURNS = {
  errors: 'the allowed share of calls fails',
  latency: 'the allowed share of calls is slow',
  cost: 'the budget of 30 days is spent',
} as const

/** Each line has a limit of its own colour. */
function burnRate(of: keyof typeof BURNS, width: number) {
  const limits = WINDOWS.map(([, limit, color]) => [limit, color] as const).toReversed()
  const built = graph({
    title: `Burn rate: ${of}`,
    description: `How many times as fast as ${BURNS[of]}, over windows that end at each point. A rule fires above the dashed line of its colour: 14.4 over 1 h, 6 over 6 h, 3 over 1 d, 1 over 3 d.`,
    query: `errors/burn_${of}`,
    unit: 'suffix:x',
    ...big,
    width,
  })
    .fillOpacity(0)
    .decimals(1)
    .thresholds(thresholds(...limits))
    .thresholdsStyle(dashed())
    .dataLinks([of === 'cost' ? linkTo('Where the money goes', { to: 'cost' }) : tracesBehind()])
  for (const [window, , fixedColor] of WINDOWS) {
    built.overrideByName(window, [painted(fixedColor)])
  }
  return built
}

function budgets() {
  const options = {
    title: 'Left of 30 days',
    description:
      'What is left of the budgets of errors, slow calls and money of the 30 days before the end of the range; below 0 when more was spent.',
    query: 'errors/budgets',
    unit: 'percentunit',
    width: 14,
    height: 6,
  }
  return withQuery(new Gauge(), options, 'table')
    .min(0)
    .max(1)
    .thresholds(floors([0, 'orange'], [0.25, 'yellow'], [0.5, 'green']))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .showThresholdLabels(false)
    .showThresholdMarkers(true)
}

function figures() {
  return stat({
    title: 'Calls of the range',
    description:
      'The share of calls that failed, how many these are, and how many were cancelled by the caller.',
    query: 'errors/stats',
    unit: 'short',
    width: 10,
    height: 6,
  })
    .thresholds(neutral())
    .overrideByName('failed of all', [
      { id: 'unit', value: 'percentunit' },
      judged(thresholds([0.01, 'yellow'], [0.05, 'red'])),
    ])
}

/** A column for each window that a rule looks at: it fires when a long one and its short one burn. */
function burnRates() {
  const limits: readonly (readonly [string, number])[] = [
    ['5 min', 14.4],
    ['1 h', 14.4],
    ['30 min', 6],
    ['2 h', 3],
    ['1 d', 3],
    ['3 d', 1],
  ]
  const built = table({
    title: 'Burn rates now',
    description:
      'A rule fires when both of its windows are red: 1 h with 5 min (14.4), 6 h with 30 min (6), 1 d with 2 h (3), 3 d with 6 h (1). 6 h is yellow from 1 and red from 6.',
    query: 'errors/objectives',
    unit: 'suffix:x',
    width: 24,
    height: 8,
  })
    .decimals(2)
    .overrideByName('6 h', colored(thresholds([1, 'yellow'], [6, 'red'])))
    .overrideByName('service', [
      linksOf(linkTo('Its errors', { to: 'errors', variables: { service: '${__value.raw}' } })),
    ])
  for (const [window, limit] of limits) {
    built.overrideByName(window, colored(thresholds([limit, 'red'])))
  }
  return built
}

function messages() {
  return table({
    title: 'Messages',
    description:
      'What failed calls, tools and other steps say, the most frequent first; a click on a trace opens the newest.',
    query: 'errors/messages',
    unit: 'short',
    width: 24,
    height: 10,
  })
    .overrideByName('trace', [linksOf(openTrace())])
    .overrideByName('error', [errorTraces()])
    .overrideByName('message', [{ id: 'custom.width', value: 480 }])
}

function endpoints() {
  return table({
    title: 'Endpoints',
    description: 'Where calls fail, by service and endpoint, and what fails there most often.',
    query: 'errors/endpoints',
    unit: 'short',
    width: 12,
    height: 10,
  })
    .overrideByName('share', [
      { id: 'unit', value: 'percentunit' },
      ...colored(thresholds([0.01, 'yellow'], [0.05, 'red'])),
    ])
    .overrideByName('most often', [errorTraces()])
}

function types() {
  return table({
    title: 'Types by model',
    description: 'Failures by type and model, how many tenants have them, and since when.',
    query: 'errors/types',
    unit: 'short',
    width: 12,
    height: 10,
  }).overrideByName('error', [errorTraces('${__data.fields.model}')])
}

/** From a type of error to the traces that have it. */
function errorTraces(model?: string) {
  const variables = { error: '${__value.raw}', ...(model === undefined ? {} : { model }) }
  return linksOf(linkTo('Traces with it', { to: 'traces', variables }))
}
