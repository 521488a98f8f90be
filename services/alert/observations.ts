import type { Kafka } from '#runtime/kafka.ts'
import { PRICE_LIST } from '#runtime/price-list.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { toNanos } from '#runtime/time.ts'
import { readers } from '#schemas/readers.ts'
import { observations, spanAggregates } from '#schemas/topics.ts'
import type { Evaluator } from './evaluator.ts'
import { createRowFold, type RowFold } from './fold.ts'
import { splitDeltas } from './partition-deltas.ts'
import { formatProgress, PROGRESS_HEADER } from './progress.ts'
import { type SeriesSpec, type Source, UNITS_PER_ONE } from './series.ts'

/** One figure about the pipeline itself, in the unit that people read. */
interface Figure {
  readonly observation: 'lag' | 'watermark_lag' | 'price_list_age' | 'groups_overflow'
  readonly group: string
  readonly topic: string
  readonly value: number
}

export interface ObserverOptions {
  /** Who finds out. */
  readonly worker: string
  readonly kafka: Kafka
  readonly writer: RecordWriter
  readonly partitions: number
  readonly evaluators: () => Iterable<Evaluator>
  /** What each had found no room for when this was asked last; kept by the caller. */
  readonly overflowed: WeakMap<Evaluator, number>
  readonly now: () => number
}

const DAY_MS = 86_400_000
const TIMED_SOURCES: readonly Source[] = ['spans', 'evaluations']

/**
 * Finds lags of consumer groups, how far watermarks lie behind, the age of the price list, groups
 * without room. Rules of the source `system` see them, and all of them are kept. Several workers may say
 * the same: rules take means.
 */
export async function observe(
  options: ObserverOptions,
  series: readonly SeriesSpec[],
): Promise<void> {
  const eventMs = options.now()
  const figures = await findFigures(options, eventMs)
  await tellRules(options, series, figures, eventMs)
  const items = figures.map((figure) => ({
    ...figure,
    worker: options.worker,
    time_unix_nano: toNanos(eventMs),
  }))
  const value = observations.codec.encode(items)
  await options.writer.write(observations.name, [{ partition: 0, key: null, value, headers: {} }])
}

async function tellRules(
  { writer, partitions }: ObserverOptions,
  series: readonly SeriesSpec[],
  figures: readonly Figure[],
  eventMs: number,
): Promise<void> {
  const fold = createRowFold(series, 'system')
  for (const figure of figures) addTo(fold, figure, eventMs)
  const progress = formatProgress({
    source: 'system',
    partition: 0,
    partitions: 1,
    eventMs,
    quietMs: undefined,
  })
  const records = splitDeltas(fold.drain().deltas, series, partitions).flatMap(
    ({ partition, batches }) =>
      batches.map((value) => ({
        partition,
        key: null,
        value,
        headers: { [PROGRESS_HEADER]: progress },
      })),
  )
  await writer.write(spanAggregates.name, records)
}

async function findFigures(
  { kafka, evaluators, overflowed }: ObserverOptions,
  nowMs: number,
): Promise<readonly Figure[]> {
  const found: Figure[] = [
    {
      observation: 'price_list_age',
      group: '',
      topic: PRICE_LIST.version,
      value: (nowMs - PRICE_LIST.publishedMs) / DAY_MS,
    },
  ]
  for (const { group, topic } of Object.values(readers)) {
    const value = Number(await kafka.lag(group, topic))
    found.push({ observation: 'lag', group, topic, value })
  }
  let added = 0
  for (const evaluator of evaluators()) {
    const total = evaluator.overflowed
    added += total - (overflowed.get(evaluator) ?? 0)
    overflowed.set(evaluator, total)
    for (const source of TIMED_SOURCES) {
      const watermarkMs = evaluator.watermark(source)
      if (watermarkMs === undefined) continue
      const value = Math.max(0, nowMs - watermarkMs) / 1_000
      found.push({ observation: 'watermark_lag', group: '', topic: source, value })
    }
  }
  return [...found, { observation: 'groups_overflow', group: '', topic: '', value: added }]
}

function addTo(fold: RowFold, { observation, group, topic, value }: Figure, eventMs: number): void {
  fold.addRow({
    texts: { observation, group, topic },
    values: { gauge: Math.round(value * UNITS_PER_ONE.gauge) },
    eventMs,
    traceId: '',
  })
}
