import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { wide } from './columns.ts'
import { dashboard } from './dashboard.ts'
import { colored, dashed, graph, legend, neutral, stat, table, thresholds } from './panels.ts'
import { choice } from './variables.ts'

/** Whether Spanmeter itself keeps up, and what it could not read or price. */
export function pipeline(): Dashboard {
  return dashboard({
    name: 'pipeline',
    title: 'Pipeline',
    description:
      'Spanmeter itself: lag, freshness, throughput, dead letters, prices, clocks, tables.',
    from: 'now-6h',
    refresh: '30s',
    variables: [
      choice('group', 'Consumer group', 'Who reads a topic.'),
      choice('topic', 'Topic', 'What is read; of watermarks also the kind of events.'),
      choice('worker', 'Worker', 'Who could not read a dead letter.'),
      choice('reason', 'Reason', 'Why it could not be read.'),
      choice('service', 'Service', 'The service that spans are of.', 'span_service'),
    ],
    top: [lag(), freshness(), throughput(), ...figures()],
    rows: [
      { title: 'Dead letters', panels: [deadLetters(), deadLettersByReason(), samples()] },
      { title: 'Lag and watermarks', panels: [lagNow(), watermarks(), overflow()] },
      { title: 'Prices', panels: [unpriced(), priceList()] },
      { title: 'Clocks', panels: [skew()] },
      { title: 'Tables', panels: [tables()] },
    ],
  })
}

function lag() {
  return graph({
    title: 'Consumer lag',
    description:
      'Records that each consumer group still has to read of its topic; the rule consumer-lag fires above 10,000 for five minutes.',
    query: 'pipeline/lag',
    unit: 'short',
    width: 8,
    height: 10,
  })
    .displayName('${__field.labels.reader}: ${__field.labels.topic}')
    .thresholds(thresholds([10_000, 'red']))
    .thresholdsStyle(dashed())
}

function freshness() {
  return graph({
    title: 'Freshness',
    description:
      'How old spans were when they could be read, from receiving to landing; P95 is to stay below 5 s.',
    query: 'pipeline/freshness',
    unit: 'ms',
    width: 8,
    height: 10,
  })
    .displayName('${__field.name}')
    .thresholds(thresholds([5_000, 'red']))
    .thresholdsStyle(dashed())
}

function throughput() {
  return graph({
    title: 'Throughput',
    description: 'Spans and inserts per second, by the time when they landed in ClickHouse.',
    query: 'pipeline/throughput',
    unit: 'short',
    width: 8,
    height: 10,
  }).displayName('${__field.name}')
}

const small = { width: 3, height: 4 }

function figures() {
  return [
    stat({
      title: 'Greatest lag',
      description: 'Records that the group furthest behind has still to read.',
      query: 'pipeline/stat_lag',
      unit: 'short',
      ...small,
    }).thresholds(thresholds([1_000, 'yellow'], [10_000, 'red'])),
    stat({
      title: 'P95 freshness',
      description: '95 of 100 spans of the range could be read within this time.',
      query: 'pipeline/stat_freshness',
      unit: 'ms',
      ...small,
    }).thresholds(thresholds([2_000, 'yellow'], [5_000, 'red'])),
    stat({
      title: 'Spans per second',
      description: 'Spans that landed in the last ten minutes of the range, per second.',
      query: 'pipeline/stat_throughput',
      unit: 'short',
      ...small,
    }).thresholds(neutral()),
    stat({
      title: 'Watermark lag',
      description:
        'How far alerts lie behind the clock; the rule watermark-stalled fires above 5 minutes.',
      query: 'pipeline/stat_watermark',
      unit: 's',
      ...small,
    }).thresholds(thresholds([120, 'yellow'], [300, 'red'])),
    stat({
      title: 'Dead letters',
      description: 'Records of the range that workers could not read.',
      query: 'pipeline/stat_dead_letters',
      unit: 'short',
      ...small,
    }).thresholds(thresholds([1, 'yellow'], [10, 'red'])),
    stat({
      title: 'Unpriced calls',
      description: 'Calls of named models without a price in the range: their cost is in no sum.',
      query: 'pipeline/stat_unpriced',
      unit: 'short',
      ...small,
    }).thresholds(thresholds([1, 'yellow'])),
    stat({
      title: 'Price list',
      description: 'How old the price list is; the rule price-list-age fires above 90 days.',
      query: 'pipeline/stat_price_list',
      unit: 'd',
      ...small,
    }).thresholds(thresholds([60, 'yellow'], [90, 'red'])),
    stat({
      title: 'Clock skew',
      description:
        'How far the clock of the worst service is ahead (P99); the rule clock-skew fires above 60 s.',
      query: 'pipeline/stat_skew',
      unit: 's',
      ...small,
    }).thresholds(thresholds([30, 'yellow'], [60, 'red'])),
  ]
}

function deadLetters() {
  return graph({
    title: 'Dead letters per minute',
    description:
      'Records that workers could not read; the rule dead-letters-growing fires above 10 in ten minutes.',
    query: 'pipeline/dead_letters',
    unit: 'short',
    width: 12,
    height: 9,
  })
    .displayName('${__field.labels.worker}: ${__field.labels.reason}')
    .noValue('No dead letters.')
    .legend(legend(['sum']))
}

function deadLettersByReason() {
  return table({
    title: 'Dead letters by reason',
    description: 'Who could not read what in the range, and why.',
    query: 'pipeline/dead_letters_by_reason',
    unit: 'string',
    width: 12,
    height: 9,
  })
    .noValue('No dead letters.')
    .overrideByName('records', [{ id: 'unit', value: 'short' }])
}

function samples() {
  return table({
    title: 'Samples',
    description:
      'The newest dead letters of the range with the start of their bytes: JSON as text, the others as hexadecimal digits.',
    query: 'pipeline/dead_letter_samples',
    unit: 'string',
    width: 24,
    height: 10,
  })
    .overrideByName('bytes', [{ id: 'unit', value: 'bytes' }])
    .overrideByName('detail', wide(320))
}

function lagNow() {
  return table({
    title: 'Lag by group',
    description: 'The lag of each consumer group as it was seen last, and over the range.',
    query: 'pipeline/lag_now',
    unit: 'short',
    width: 10,
    height: 9,
  }).overrideByName('now', colored(thresholds([1_000, 'yellow'], [10_000, 'red'])))
}

function watermarks() {
  return graph({
    title: 'Watermark lag',
    description: 'How far event time lies behind the clock where alerts are decided.',
    query: 'pipeline/watermarks',
    unit: 's',
    width: 7,
    height: 9,
  })
    .displayName('${__field.labels.topic}')
    .thresholds(thresholds([300, 'red']))
    .thresholdsStyle(dashed())
}

function overflow() {
  return graph({
    title: 'Groups without room',
    description:
      'Aggregates of alert rules that found no room for a group of their own, per minute; max_groups of a rule is too small.',
    query: 'pipeline/overflow',
    unit: 'short',
    width: 7,
    height: 9,
  }).displayName('${__field.name}')
}

function unpriced() {
  return table({
    title: 'Calls without a price',
    description: 'Calls of the range by kind and model, and how many of them have no price.',
    query: 'pipeline/unpriced',
    unit: 'short',
    width: 14,
    height: 9,
  })
    .overrideByName('share', [{ id: 'unit', value: 'percentunit' }])
    .overrideByName('without a price', colored(thresholds([1, 'yellow'])))
}

function priceList() {
  return graph({
    title: 'Age of the price list',
    description: 'How old the price list is that workers use, by its version.',
    query: 'pipeline/price_list',
    unit: 'd',
    width: 10,
    height: 9,
  })
    .displayName('${__field.labels.version}')
    .thresholds(thresholds([90, 'red']))
    .thresholdsStyle(dashed())
}

function skew() {
  return graph({
    title: 'Clock skew by service',
    description:
      'How far the ends of spans lie after their receipt (P99): 0 unless the clock of their service is ahead.',
    query: 'pipeline/skew',
    unit: 's',
    width: 24,
    height: 9,
  })
    .displayName('${__field.labels.service}')
    .thresholds(thresholds([60, 'red']))
    .thresholdsStyle(dashed())
}

function tables() {
  return table({
    title: 'Tables',
    description: 'Rows and bytes on disk of each table of the database at this moment.',
    query: 'pipeline/tables',
    unit: 'short',
    width: 24,
    height: 10,
  }).overrideByRegexp('/^size/', [{ id: 'unit', value: 'bytes' }])
}
