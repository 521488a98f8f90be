import { expect, test } from 'vitest'
import { seriesJson, spanSeries } from '../../bench/alerts-series.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'

const spend: SeriesSpec = {
  id: '00000000000000aa',
  source: 'spans',
  where: [{ dimension: 'kind', values: ['llm'], isNegated: false }],
  by: ['tenant', 'user'],
  keyLength: 1,
  value: 'cost',
  hasBins: false,
  bucketMs: 60_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}
const slow: SeriesSpec = {
  id: '00000000000000bb',
  source: 'spans',
  where: [],
  by: [],
  keyLength: 0,
  bad: { matches: [], above: { field: 'duration', units: 1.5 } },
  hasBins: false,
  bucketMs: 60_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}
const ruleSet = (series: readonly SeriesSpec[]) => ({ rules: [], series, allowedLatenessMs: 0 })

test('Kafka Streams is told of the series that count spans, and of no others', () => {
  const scores: SeriesSpec = { ...spend, source: 'evaluations' }
  expect(spanSeries(ruleSet([spend, scores, slow]))).toEqual([spend, slow])
})

test('what is counted stands in the JSON, with nothing left to guess', () => {
  expect(JSON.parse(seriesJson([spend, slow]))).toEqual([
    {
      id: '00000000000000aa',
      where: [{ dimension: 'kind', values: ['llm'], isNegated: false }],
      by: ['tenant', 'user'],
      bad: null,
      value: 'cost',
      hasBins: false,
      bucketMs: 60_000,
    },
    {
      id: '00000000000000bb',
      where: [],
      by: [],
      // Values are whole: above 1.5 is above 1.
      bad: { matches: [], above: { field: 'duration', units: 1 } },
      value: null,
      hasBins: false,
      bucketMs: 60_000,
    },
  ])
})
