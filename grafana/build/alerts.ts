import { VisibilityMode } from '@grafana/grafana-foundation-sdk/common'
import {
  type Dashboard,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline'
import { inColors, opened, SEVERITIES, wide } from './columns.ts'
import { dashboard } from './dashboard.ts'
import { linksOf, linkTo, openTrace } from './links.ts'
import {
  bars,
  colored,
  graph,
  legend,
  neutral,
  stat,
  table,
  thresholds,
  withQuery,
} from './panels.ts'
import { choice } from './variables.ts'

/** What fires, what has fired, and who was told. */
export function alerts(): Dashboard {
  return dashboard({
    name: 'alerts',
    title: 'Alerts',
    description: 'Alerts that fire, their history, and whether notifications of them arrived.',
    from: 'now-24h',
    refresh: '30s',
    variables: [
      choice('rule', 'Rule', 'The rule that an alert is of.'),
      choice('severity', 'Severity', 'How grave an alert is.'),
    ],
    top: [firing(), timeline(), ...figures()],
    rows: [
      { title: 'Incidents', panels: [incidents(), incidentsByRule()] },
      { title: 'Changes', panels: [changes()] },
      { title: 'Notifications', panels: [channels(), notifications(), deliveries()] },
      { title: 'Deploys, configuration and incidents', panels: [events()] },
    ],
  })
}

/** States by the numbers that the query of the timeline gives them. */
const STATES = [
  ['inactive', 'transparent'],
  ['pending', 'yellow'],
  ['firing', 'blue'],
  ['firing, warning', 'orange'],
  ['firing, critical', 'red'],
  ['resolved', 'green'],
] as const

/** What tables of alerts have in common. */
function alertTable(options: Parameters<typeof table>[0]) {
  return table({ ...options, unit: 'string' })
    .overrideByName('severity', inColors(SEVERITIES))
    .overrideByName('rule', [
      linksOf(linkTo('This rule alone', { to: 'alerts', variables: { rule: '${__value.raw}' } })),
    ])
    .overrideByName('summary', wide(420))
    .overrideByName('trace', [linksOf(openTrace())])
    .overrideByName('graph', opened('Open the graph'))
    .overrideByRegexp('/^(for|lasted)$/', [{ id: 'unit', value: 's' }])
}

function firing() {
  return alertTable({
    title: 'Firing now',
    description:
      'Alerts that fire at this moment, whatever the range; one of a rule over all tenants, models or features is shown for each.',
    query: 'alerts/firing',
    unit: 'string',
    width: 24,
    height: 8,
  }).noValue('Nothing fires.')
}

function timeline() {
  const options = Object.fromEntries(
    STATES.map(([text, color], index) => [String(index), { text, color, index }]),
  )
  const states: ValueMapping = { type: MappingType.ValueToText, options }
  return (
    withQuery(
      new StateTimeline(),
      {
        title: 'States',
        description:
          'Each alert that was pending or fired in the range, by rule, level and group; those that fired first.',
        query: 'alerts/timeline',
        unit: 'string',
        width: 24,
        height: 12,
      },
      'time_series',
    )
      .displayName('${__field.labels.alert}')
      .mappings([states])
      .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
      // A state lasts until the next change of the same alert.
      .spanNulls(true)
      .mergeValues(true)
      .showValue(VisibilityMode.Never)
      .rowHeight(0.8)
      .legend(legend([]))
  )
}

const small = { width: 4, height: 4 }

function figures() {
  return [
    stat({
      title: 'Critical',
      description: 'Critical alerts that fire at this moment.',
      query: 'alerts/stat_critical',
      unit: 'short',
      ...small,
    }).thresholds(thresholds([1, 'red'])),
    stat({
      title: 'Other',
      description: 'Warnings and infos that fire at this moment.',
      query: 'alerts/stat_other',
      unit: 'short',
      ...small,
    }).thresholds(thresholds([1, 'orange'])),
    stat({
      title: 'Incidents',
      description: 'Incidents that began in the range.',
      query: 'alerts/stat_incidents',
      unit: 'short',
      ...small,
    }).thresholds(neutral()),
    stat({
      title: 'Time to resolve',
      description: 'How long the incidents that were resolved in the range had lasted: the median.',
      query: 'alerts/stat_resolved',
      unit: 's',
      ...small,
    }).thresholds(neutral()),
    stat({
      title: 'Not delivered',
      description: 'The share of notifications of the range that were given up or refused.',
      query: 'alerts/stat_deliveries',
      unit: 'percentunit',
      ...small,
    }).thresholds(thresholds([0.01, 'yellow'], [0.05, 'red'])),
    stat({
      title: 'P95 to deliver',
      description:
        'From the change of an alert to the end of its delivery: 95 of 100 took no longer.',
      query: 'alerts/stat_latency',
      unit: 'ms',
      ...small,
    }).thresholds(thresholds([5_000, 'yellow'], [30_000, 'red'])),
  ]
}

function incidents() {
  return alertTable({
    title: 'Incidents',
    description: 'From firing to resolved, or until now: incidents that fired in the range.',
    query: 'alerts/incidents',
    unit: 'string',
    width: 18,
    height: 11,
  })
}

function incidentsByRule() {
  return bars({
    title: 'Incidents by rule',
    description: 'How many incidents of each rule began in the range: which rules are noisy.',
    query: 'alerts/incidents_by_rule',
    unit: 'short',
    width: 6,
    height: 11,
  }).xTickLabelRotation(-45)
}

function changes() {
  return alertTable({
    title: 'Changes',
    description: 'Every change of a state in the range, the newest first, with what was measured.',
    query: 'alerts/changes',
    unit: 'string',
    width: 24,
    height: 12,
  }).overrideByRegexp('/^(value|threshold|baseline|count)$/', [
    { id: 'unit', value: 'none' },
    { id: 'decimals', value: 3 },
  ])
}

function channels() {
  return table({
    title: 'Channels',
    description: 'What became of notifications of the range by channel, and how long they took.',
    query: 'alerts/channels',
    unit: 'short',
    width: 12,
    height: 9,
  })
    .overrideByRegexp('/^P\\d+$/', [{ id: 'unit', value: 'ms' }])
    .overrideByRegexp('/^(failed|refused)$/', colored(thresholds([1, 'red'])))
}

function notifications() {
  return graph({
    title: 'Notifications',
    description: 'Notifications by channel and outcome.',
    query: 'alerts/deliveries_over_time',
    unit: 'short',
    width: 12,
    height: 9,
  })
    .displayName('${__field.labels.outcome}')
    .noValue('Nobody was to be told in the range.')
    .legend(legend(['sum']))
}

function deliveries() {
  return table({
    title: 'Single notifications',
    description: 'Notifications of the range: those that did not arrive first, then the newest.',
    query: 'alerts/deliveries',
    unit: 'string',
    width: 24,
    height: 10,
  })
    .noValue('Nobody was to be told in the range.')
    .overrideByName('outcome', inColors({ delivered: 'green', failed: 'red', refused: 'red' }))
    .overrideByName('latency', [{ id: 'unit', value: 'ms' }])
}

function events() {
  return table({
    title: 'Annotations',
    description: 'What people and pipelines have told with `spanmeter annotate`, the newest first.',
    query: 'alerts/annotations',
    unit: 'string',
    width: 24,
    height: 9,
  })
}
