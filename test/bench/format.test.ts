import { expect, test } from 'vitest'
import { formatReport } from '../../bench/format.ts'
import { compare, summariseRuns } from '../../bench/report.ts'
import { peerRun, pipelineRun } from './runs.ts'

const pipeline = summariseRuns([pipelineRun(1_000, 3), pipelineRun(1_200, 5)])
const peer = summariseRuns([peerRun])
const base = {
  environment: { cpu: 'A CPU', cores: 2, memoryBytes: 8 * 2 ** 30, node: 'v24.0.0', load: 0.5 },
  workload: {
    spans: 1_000,
    records: 10,
    attributesPerSpan: 26,
    bytesPerSpan: 700.4,
    partitions: 4,
    seed: 1,
  },
  pipeline,
}

test('the report tells the machine, the workload and each process', () => {
  expect(formatReport(base)).toBe(`A CPU, 2 cores, 8 GiB, Node v24.0.0, load 0.5 at the start
1,000 spans in 10 records over 4 partitions, 26 attributes and 700 bytes a span, seed 1; medians of 2 runs (least–most)

                        Spanmeter
until queryable, s      1.10 (1.00–1.20)
spans a second          917 (833–1,000)
CPU per span, µs
  ingest                4.00 (3.00–5.00)
  enrich                2.00
  together              6.00 (5.00–7.00)
  ClickHouse            6.00
peak memory, MiB
  ingest                100
  enrich                50
  together              150
  ClickHouse            300
CPU of other processes  10.0 %`)
})

test('with a peer it has a column for each, and ratios', () => {
  const text = formatReport({ ...base, peer, ratios: compare(pipeline, peer) })
  expect(text).toMatch(/^ {2}together +6\.00 \(5\.00–7\.00\) +10\.00$/m)
  expect(text).toMatch(/^ {2}collector +– +10\.00$/m)
  expect(text).toMatch(/^spans per CPU second of the workers \(more is better\) +1\.67 ×$/m)
})

test('a profile lists functions by their own time', () => {
  const top = [{ name: 'decode', file: 'services/ingest/a.ts', selfMs: 2, share: 0.5 }]
  const text = formatReport({ ...base, profiles: [{ worker: 'ingest', busyMs: 4, top }] })
  expect(text).toMatch(/^ingest, busy 4\.00 µs a span +self µs +share +file$/m)
  expect(text).toMatch(/^ {2}decode +2\.00 +50\.0 % +services\/ingest\/a\.ts$/m)
})
