import { expect, test } from 'vitest'
import { parseHolding, parseTold } from '../../bench/load-samples.ts'

test('memory and threads are found in /proc', () => {
  const status = 'Name:\tnode\nVmHWM:\t  900 kB\nVmRSS:\t  512 kB\nThreads:\t11\n'
  expect(parseHolding(status)).toEqual({ rssBytes: 524_288, threads: 11 })
  expect(() => parseHolding('Name: node')).toThrow(RangeError)
})

test('heap, handles of all kinds and the latest turn are found in a worker’s metrics', () => {
  const metrics = `# HELP spanmeter_nodejs_eventloop_lag_max_seconds The maximum recorded event loop delay.
spanmeter_nodejs_eventloop_lag_max_seconds{service="ingest"} 0.0125
spanmeter_nodejs_active_handles{type="Socket",service="ingest"} 7
spanmeter_nodejs_active_handles{type="Server",service="ingest"} 2
spanmeter_nodejs_heap_size_used_bytes{service="ingest"} 1048576
`
  expect(parseTold(metrics)).toEqual({ heapBytes: 1_048_576, handles: 9, loopDelayMs: 12.5 })
})

test('a worker that does not answer has told nothing', () => {
  const nothing = { heapBytes: undefined, handles: undefined, loopDelayMs: undefined }
  expect(parseTold('')).toEqual(nothing)
})
