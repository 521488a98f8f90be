import { expect, test } from 'vitest'
import type { OverloadReport } from '../../bench/overload.ts'
import { formatOverloadReport } from '../../bench/overload-format.ts'
import type { SoakReport } from '../../bench/soak.ts'
import { formatSoakReport } from '../../bench/soak-format.ts'

const MIB = 2 ** 20

const load = {
  environment: { cpu: 'A CPU', cores: 2, memoryBytes: 2 ** 33, node: 'v24.0.0', load: 0.5 },
  minutes: 5,
  spansPerRequest: 100,
  bytesPerSpan: 706.3,
  capacity: 20_000,
  latestMs: 12.4,
  verdict: { acceptedSpans: 6_000_000, lost: 0, doubled: 1, unpromised: 200 },
}
const totals = {
  requests: 180_000,
  accepted: 60_000,
  refused: 119_000,
  unknown: 1_000,
  unsent: 0,
  attempts: 200_000,
  answers: { '200': 60_000, '429': 139_000, 'timed out': 1_000 },
  backedOff: 139_000,
  withRetryAfter: 139_000,
}

const trend = (mean: number, growthPerHour: number, error: number) => ({
  mean,
  max: mean,
  growthPerHour,
  error,
})
const flat = (mean: number) => trend(mean, 0, 0)

test('a report of overload tells answers, memory, recovery and the verdict', () => {
  const report: OverloadReport = {
    ...load,
    factor: 3,
    offered: 60_000,
    retryShare: 0.2,
    totals,
    acceptedPerSecond: 20_000,
    processes: [
      { name: 'ingest', peakBytes: 400 * MIB, limitBytes: 384 * MIB, loopDelayMs: 250 },
      { name: 'Kafka', peakBytes: 500 * MIB, limitBytes: 704 * MIB, loopDelayMs: null },
    ],
    mostLag: { spans: 4_321, alerts: 0 },
    recovery: { normalMs: 5, answeringMs: null, spansReadMs: 30_000, alertsReadMs: 1_500 },
  }
  expect(formatOverloadReport(report))
    .toBe(`A CPU, 2 cores, 8 GiB, Node v24.0.0, load 0.5 at the start
The pipeline takes 20,000 spans a second; 60,000 a second were sent (3.0 ×) for 5 min
100 spans a request, 706 bytes a span; the latest request was sent 12 ms after it was due
One sender in 5 sends again when it is told to, the others never

requests                        180,000
  accepted                      60,000   33.3 %
  refused                       119,000  66.1 %
  without an answer             1,000    0.6 %
  not sent: no sender was free  0        0.0 %
attempts                        200,000
  200                           60,000   30.0 %
  429                           139,000  69.5 %
  timed out                     1,000    0.5 %
429 and 503 with Retry-After    139,000  100.0 %
accepted spans a second         20,000

process   peak MiB    limit MiB  event loop late by, ms
  ingest  400 (over)  384        250
  Kafka   500         704

most records to be read
  into ClickHouse                 4,321
  by alert                        0
after the last request, s
  requests are answered normally  never
  all is in ClickHouse            30.00
  alert has read all              1.50

6,000,000 spans were accepted: 0 lost, 1 doubled; 200 more of requests that were not accepted landed`)
})

test('a report of a soak tells what each process holds, and how it grows', () => {
  const report: SoakReport = {
    ...load,
    offered: 10_000,
    totals: { ...totals, requests: 60_000 },
    trends: {
      samples: 100,
      warmUpMs: 75_000,
      processes: [
        {
          name: 'ingest',
          rssBytes: trend(200 * MIB, -3 * MIB, MIB / 2),
          heapBytes: trend(50 * MIB, 1.5 * MIB, 2 * MIB),
          files: flat(40),
          handles: flat(20),
          threads: flat(11),
        },
        {
          name: 'Kafka',
          rssBytes: flat(500 * MIB),
          heapBytes: null,
          files: flat(300),
          handles: null,
          threads: flat(90),
        },
      ],
      lag: { spans: trend(12.34, 0, 0), alerts: flat(0) },
    },
    readMs: 1_250,
  }
  expect(formatSoakReport(report).split('\n').slice(3)).toEqual([
    '60,000 of 60,000 requests accepted (100.0 %)',
    '',
    '100 samples after a warm-up of 1.3 min: mean, and growth an hour ± its standard error',
    '        resident, MiB     heap, MiB        open files        handles          threads',
    'ingest  200.0 −3.0 ± 0.5  50.0 +1.5 ± 2.0  40.0 +0.0 ± 0.0   20.0 +0.0 ± 0.0  11.0 +0.0 ± 0.0',
    'Kafka   500.0 +0.0 ± 0.0                   300.0 +0.0 ± 0.0                   90.0 +0.0 ± 0.0',
    '',
    'records to be read                           mean  most',
    '  into ClickHouse                            12.3  12',
    '  by alert                                   0.0   0',
    'all in ClickHouse after the last request, s  1.25',
    '',
    '6,000,000 spans were accepted: 0 lost, 1 doubled; 200 more of requests that were not accepted landed',
  ])
})
