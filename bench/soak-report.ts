import { fitLine, type LineFit } from './line-fit.ts'
import type { Sample } from './load-samples.ts'

/** What a process held at a steady load, after the warm-up; growth is by the hour. */
export interface ProcessTrend {
  readonly name: string
  readonly rssBytes: Trend
  /** Of workers, as they tell it. */
  readonly heapBytes: Trend | null
  readonly files: Trend
  readonly handles: Trend | null
  readonly threads: Trend
}

export interface Trend {
  readonly mean: number
  readonly max: number
  readonly growthPerHour: number
  /** Standard error of the growth. */
  readonly error: number
}

export interface SoakTrends {
  readonly samples: number
  readonly warmUpMs: number
  readonly processes: readonly ProcessTrend[]
  /** Records to be read, of those on the way into ClickHouse and of those that alert reads. */
  readonly lag: { readonly spans: Trend; readonly alerts: Trend }
}

const MS_PER_HOUR = 3_600_000
/** What is left away at the start: caches fill, code is compiled, heaps find their size. */
const WARM_UP_SHARE = 0.25

/** Trends of all processes. Throws RangeError where fewer than three samples are left after the warm-up. */
export function summariseSamples(samples: readonly Sample[], lengthMs: number): SoakTrends {
  const warmUpMs = lengthMs * WARM_UP_SHARE
  const used = samples.filter(({ atMs }) => atMs >= warmUpMs)
  const [first] = used
  const trend = (value: (sample: Sample) => number | undefined) => trendOf(used, value)
  const always = (value: (sample: Sample) => number) => required(trend(value))
  const names = (kind: 'workers' | 'engines') => Object.keys(first?.[kind] ?? {})
  const ofEngine = (kind: 'workers' | 'engines', name: string) => ({
    rssBytes: always((sample) => sample[kind][name]?.rssBytes ?? 0),
    files: always((sample) => sample[kind][name]?.files ?? 0),
    threads: always((sample) => sample[kind][name]?.threads ?? 0),
  })
  return {
    samples: used.length,
    warmUpMs,
    processes: [
      ...names('workers').map((name) => ({
        name,
        ...ofEngine('workers', name),
        heapBytes: trend(({ workers }) => workers[name]?.heapBytes),
        handles: trend(({ workers }) => workers[name]?.handles),
      })),
      ...names('engines').map((name) => ({
        name,
        ...ofEngine('engines', name),
        heapBytes: null,
        handles: null,
      })),
    ],
    lag: {
      spans: always(({ lags }) => lags.spans),
      alerts: always(({ lags }) => lags.alerts),
    },
  }
}

function trendOf(
  samples: readonly Sample[],
  value: (sample: Sample) => number | undefined,
): Trend | null {
  const points = samples.flatMap((sample) => {
    const y = value(sample)
    return y === undefined ? [] : [[sample.atMs / MS_PER_HOUR, y] as const]
  })
  if (points.length < 3) return null
  const { mean, slope, slopeError }: LineFit = fitLine(points)
  const max = Math.max(...points.map(([, y]) => y))
  return { mean, max, growthPerHour: slope, error: slopeError }
}

function required(trend: Trend | null): Trend {
  if (trend === null) throw new RangeError('too few samples after the warm-up')
  return trend
}
