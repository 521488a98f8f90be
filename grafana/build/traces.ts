import { StackingMode, VizOrientation } from '@grafana/grafana-foundation-sdk/common'
import { type Dashboard, PanelBuilder as AnyPanel } from '@grafana/grafana-foundation-sdk/dashboard'
import { inColors, opened, SEVERITIES, wide } from './columns.ts'
import { dashboard } from './dashboard.ts'
import { linksOf, linkTo, openTrace } from './links.ts'
import { bars, colored, floors, legend, table, withQuery } from './panels.ts'
import { choice, input, oneOf } from './variables.ts'

/** One request from its first span to its last, and how to find it. */
export function traces(): Dashboard {
  return dashboard({
    name: 'traces',
    title: 'Traces',
    description: 'Search for traces, look into one, and see what slow and bad ones have in common.',
    from: 'now-1h',
    refresh: '',
    variables: [
      input('trace', 'Trace', 'The id of a trace; without one the slowest of the range is shown.'),
      choice('error', 'Error', 'The type of error that a span of the trace has.'),
      input('user', 'User', 'Whose request it was.'),
      input('session', 'Session', 'The session that the request is of.'),
      input('min_duration', 'Longer than', 'The least duration of a trace, in seconds.', '0'),
      oneOf('order', 'Order', 'What the list of traces begins with.', {
        duration: 'slowest',
        cost: 'dearest',
        start: 'newest',
      }),
    ],
    top: [search(), summary(), waterfall()],
    rows: [
      { title: 'Spans of the trace', panels: [spans(), criticalPath(), kinds()] },
      { title: 'Content, scores and alerts of the trace', panels: [content(), scores(), alerts()] },
      { title: 'Slow traces', panels: [slow(), slowByEndpoint(), traits('slow')] },
      { title: 'Traces of low quality', panels: [low(), traits('low')] },
    ],
  })
}

const MILLISECONDS = [{ id: 'unit', value: 'ms' }]
const SHARE = [{ id: 'unit', value: 'percentunit' }]

/** What tables of traces and spans have in common. */
function traceTable(options: Omit<Parameters<typeof table>[0], 'unit'>) {
  return table({ ...options, unit: 'string' })
    .overrideByRegexp(
      '/^(at|duration|P95|first token|by itself|on the path|llm|embedding|retrieval|rerank|tool|agent|other|waiting)$/',
      MILLISECONDS,
    )
    .overrideByRegexp('/^(spans|calls|errors|input|output|unpriced)$/', [
      { id: 'unit', value: 'short' },
    ])
    .overrideByRegexp('/^(usd)$/', [
      { id: 'unit', value: 'currencyUSD' },
      { id: 'decimals', value: 6 },
    ])
    .overrideByName('trace', [linksOf(openTrace())])
    .overrideByName('score', [...SHARE, ...colored(floors([0.65, 'yellow'], [0.75, 'green']))])
}

function search() {
  return traceTable({
    title: 'Traces',
    description:
      'Traces that started in the range and have a span of all that is chosen above, at most 200.',
    query: 'traces/search',
    width: 24,
    height: 10,
  })
    .overrideByName('user', [linksOf(find('user'))])
    .overrideByName('session', [linksOf(find('session'))])
}

/** From a value of a column to the traces with it. */
function find(name: 'user' | 'session') {
  return linkTo(`Traces of this ${name}`, {
    to: 'traces',
    variables: { [name]: '${__value.raw:percentencode}' },
  })
}

function summary() {
  return traceTable({
    title: 'The trace',
    description: 'The trace that is asked for above, else the slowest of the range.',
    query: 'traces/summary',
    width: 24,
    height: 4,
  })
}

function waterfall() {
  // The SDK has no builder for Grafana's panel of traces, which has no options.
  return withQuery(
    new AnyPanel().type('traces'),
    {
      title: 'Spans over time',
      description:
        'When each span of the trace ran; tags tell what it was, what it cost, and its part of the critical path.',
      query: 'traces/waterfall',
      unit: 'ms',
      width: 24,
      height: 14,
    },
    'traces',
  )
}

function spans() {
  return traceTable({
    title: 'Spans',
    description:
      'The spans of the trace by their start, with their time by themselves (without spans below them) and on the critical path.',
    query: 'traces/spans',
    width: 24,
    height: 11,
  }).overrideByName('span', wide(220))
}

function criticalPath() {
  return traceTable({
    title: 'Critical path',
    description:
      'The spans that decided how long the trace took: faster ones would have made it faster.',
    query: 'traces/critical_path',
    width: 16,
    height: 9,
  }).overrideByName('share', [
    ...SHARE,
    { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic' } },
    { id: 'min', value: 0 },
    { id: 'max', value: 1 },
  ])
}

function kinds() {
  return bars({
    title: 'Time by kind',
    description:
      'The time of the trace by kind of span: on the critical path, and by spans themselves, which may run at once.',
    query: 'traces/kinds',
    unit: 'ms',
    width: 8,
    height: 9,
  }).orientation(VizOrientation.Horizontal)
}

function content() {
  return traceTable({
    title: 'What was said',
    description:
      'Prompts and completions of the trace, as far as they were kept; while no trace is asked for, those of the range, the newest first.',
    query: 'traces/content',
    width: 24,
    height: 10,
  }).overrideByRegexp('/^(prompt|completion|other)$/', [
    ...wide(420),
    { id: 'unit', value: 'string' },
    { id: 'custom.inspect', value: true },
  ])
}

function scores() {
  return traceTable({
    title: 'Scores',
    description: 'What evaluators said of the trace; while none is asked for, what they said last.',
    query: 'traces/scores',
    width: 12,
    height: 9,
  })
}

function alerts() {
  return traceTable({
    title: 'Alerts',
    description:
      'Alerts that name the trace as an example; while none is asked for, alerts of the range that name any.',
    query: 'traces/alerts',
    width: 12,
    height: 9,
  })
    .overrideByName('severity', inColors(SEVERITIES))
    .overrideByName('rule', [
      linksOf(
        linkTo('Alerts of this rule', { to: 'alerts', variables: { rule: '${__value.raw}' } }),
      ),
    ])
    .overrideByName('graph', opened('Open the graph'))
}

function slow() {
  return traceTable({
    title: 'Slow traces',
    description:
      'Traces above the P95 of their tenant and endpoint, the 300 slowest at most, with their time on the critical path by kind of span.',
    query: 'traces/slow',
    width: 24,
    height: 10,
  })
}

function slowByEndpoint() {
  return bars({
    title: 'Where slow traces wait',
    description:
      'The mean time on the critical path of slow traces, the 300 slowest at most, by endpoint and kind of span.',
    query: 'traces/slow_by_endpoint',
    unit: 'ms',
    width: 12,
    height: 10,
  })
    .stacking(StackingMode.Normal)
    .legend(legend([]))
}

/** What traces have in common against the others, by how much more often it is so with them. */
function traits(which: 'slow' | 'low') {
  const what = which === 'slow' ? 'Slow traces' : 'Traces of low quality'
  return table({
    title: `What ${what.toLowerCase()} have in common`,
    description: `${what} against the others: lift is how many times as frequent a value is among them as among all; beyond a z of 3 chance hardly explains it.`,
    query: `traces/${which}_traits`,
    unit: 'string',
    width: which === 'slow' ? 12 : 24,
    height: 10,
  })
    .overrideByRegexp('/^of the/', SHARE)
    .overrideByRegexp('/^(lift|z)$/', [
      { id: 'unit', value: 'none' },
      { id: 'decimals', value: 1 },
    ])
}

function low() {
  return traceTable({
    title: 'Traces of low quality',
    description: 'Traces with a score below 0.65 or said to be of low quality, the worst first.',
    query: 'traces/low',
    width: 24,
    height: 10,
  }).overrideByName('explanation', wide(320))
}
