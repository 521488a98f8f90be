import { expect, test } from 'vitest'
import { formatAlertsReport } from '../../bench/alerts-format.ts'
import { compareSubjects, summariseLatencies, summariseSubject } from '../../bench/alerts-report.ts'
import { throughputRun } from './alert-runs.ts'

const ours = summariseSubject('Spanmeter', [
  throughputRun({ coldMs: 10, warmMs: 4 }),
  throughputRun({ coldMs: 20, warmMs: 4 }),
])
const peer = summariseSubject('Kafka Streams', [throughputRun({ coldMs: 40, warmMs: 2 })])
const base = {
  environment: { cpu: 'A CPU', cores: 2, memoryBytes: 8 * 2 ** 30, node: 'v24.0.0', load: 0.5 },
  workload: {
    spans: 1_000,
    records: 20,
    bytesPerSpan: 622.6,
    partitions: 4,
    seed: 1,
    rules: 30,
    series: 20,
  },
  subjects: [ours, peer],
  ratios: compareSubjects([ours, peer]),
  latencies: [summariseLatencies('from OTLP/HTTP', 4_999.6, [10, 30])],
}

test('the report tells the workload, both phases of each subject, ratios and latencies', () => {
  expect(formatAlertsReport(base)).toBe(`A CPU, 2 cores, 8 GiB, Node v24.0.0, load 0.5 at the start
twice 1,000 spans in 20 records over 4 partitions, 623 bytes a span, seed 1; 30 rules, 20 series of spans
medians of 2 runs (least–most)

                             Spanmeter                Kafka Streams
warm
  spans per CPU second       250,000                  500,000
  CPU per span, µs           4.00                     2.00
  time, s                    0.01                     0.00
  CPU of Kafka per span, µs  1.00                     1.00
  CPU of other processes     25.0 %                   25.0 %
from the start
  spans per CPU second       75,000 (50,000–100,000)  25,000
  CPU per span, µs           15.00 (10.00–20.00)      40.00
  time, s                    0.03 (0.02–0.04)         0.08
  CPU of Kafka per span, µs  1.00                     1.00
  CPU of other processes     25.0 %                   25.0 %
peak memory, MiB             100                      100

spans per CPU second (more is better)  warm    from the start
Spanmeter / Kafka Streams              0.50 ×  3.00 ×

span to notification, ms  p50  p95  p99  most  alerts  load, spans a second
  from OTLP/HTTP          10   30   30   30    2       5,000`)
})

test('what was not measured is left out', () => {
  const text = formatAlertsReport({ ...base, subjects: [ours], ratios: [], latencies: [] })
  expect(text).not.toMatch(/×|notification/)
})
