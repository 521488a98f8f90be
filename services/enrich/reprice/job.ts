import type { ClickHouse } from '#runtime/clickhouse.ts'
import { messageOf } from '#runtime/errors.ts'
import type { Kafka } from '#runtime/kafka.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { bringRowsUpToDate, readCorrectedDays } from './bring-rows-up-to-date.ts'
import { readPages, readSlices, type Selection } from './calls.ts'
import { createCorrectionWriter, type CorrectionWriter } from './correction-writer.ts'
import { waitUntilLanded } from './landing.ts'
import { type PageCall, type PagePricer } from './page-pricer.ts'
import type { Progress } from './progress.ts'
import { count } from './report.ts'
import { RepriceError } from './reprice-error.ts'
import { readStatement } from './statements.ts'
import { correctionOf, type Job, toBigint } from './stored-call.ts'
import type { Slice } from './time-range.ts'
import { createTally, type PriceChange, type Tally } from './tally.ts'

const NANOS_PER_MS = 1_000_000n

/** What a run needs of the outside. */
export interface JobContext {
  readonly clickhouse: ClickHouse
  readonly kafka: Kafka
  readonly pricePage: PagePricer
  readonly progress: Progress
  /** Landing is given up when nothing has landed for this long. */
  readonly quietMs: number
  readonly signal: AbortSignal
}

/** What a run is asked to do. */
export interface JobRequest extends Omit<Selection, 'asOfMs'> {
  readonly isDryRun: boolean
}

export interface JobResult {
  readonly job: Job
  readonly tally: Tally
  /** Calls that share their ids with one of another price. */
  readonly ambiguous: number
}

/**
 * Prices calls again and makes rollups, then rows, show the difference. A run that was cut off is
 * completed by the next: what it wrote to Kafka counts once, and rows follow.
 */
export async function runJob(request: JobRequest, context: JobContext): Promise<JobResult> {
  const { clickhouse, progress } = context
  const partitions = await reachTopic(context.kafka)
  await waitUntilLanded({ ...context, say: progress.say })
  const { job, lastJob } = await readStart(clickhouse)
  if (!request.isDryRun) await completeLastJob(lastJob, context)
  const selection = { ...request, asOfMs: Number(job.time / NANOS_PER_MS) }
  const slices = await readSlices(clickhouse, selection)
  const priced = request.isDryRun
    ? await priceSlices(slices, selection, context)
    : await correctSlices(slices, { selection, job, partitions }, context)
  progress.stop()
  const { corrected } = priced.tally.total()
  if (!request.isDryRun && corrected > 0) await land(job, corrected, context)
  return { job, ...priced }
}

/** Number of partitions of the topic; whatever stands in the way of it, a person must see to. */
async function reachTopic(kafka: Kafka): Promise<number> {
  try {
    return await requirePartitions(kafka, priceCorrections.name)
  } catch (cause) {
    const why = messageOf(cause)
    throw new RepriceError(
      `The topic ${kafka.name(priceCorrections.name)} cannot be reached (${why}). Is Kafka running, and ` +
        'where SPANMETER_KAFKA_BROKERS says? Topics are made by: npm run spanmeter -- setup',
      { cause },
    )
  }
}

/** Time and name of a run: by ClickHouse's clock, which rows are stamped with, and after all before it. */
async function readStart(clickhouse: ClickHouse): Promise<{ job: Job; lastJob: string }> {
  const [row] = await clickhouse.query<{
    now_ms: string
    last_corrected_time: string
    last_job: string
  }>(readStatement('reprice_start', clickhouse.database))
  const nowMs = BigInt(row?.now_ms ?? 0)
  const afterLastMs = BigInt(row?.last_corrected_time ?? 0) / NANOS_PER_MS + 1n
  const timeMs = nowMs > afterLastMs ? nowMs : afterLastMs
  const id = `reprice-${new Date(Number(timeMs)).toISOString().replaceAll(/[-:]/g, '')}`
  return { job: { id, time: timeMs * NANOS_PER_MS }, lastJob: row?.last_job ?? '' }
}

/**
 * Rows of the last run alone can be behind their corrections: each run sees to it before it corrects
 * anything itself.
 */
async function completeLastJob(lastJob: string, context: JobContext): Promise<void> {
  const days = await readCorrectedDays(context.clickhouse, lastJob)
  const rows = await bringRowsUpToDate(days, context)
  if (rows === 0) return
  context.progress.say(`${lastJob} was cut off: ${count(rows)} rows brought up to date.`)
}

interface Correcting {
  readonly selection: Selection
  readonly job: Job
  readonly partitions: number
}

interface Priced {
  readonly tally: Tally
  readonly ambiguous: number
}

async function correctSlices(
  slices: readonly Slice[],
  { selection, job, partitions }: Correcting,
  context: JobContext,
): Promise<Priced> {
  const writer = await context.kafka.openWriter()
  try {
    const corrections = createCorrectionWriter({ writer, partitions, time: job.time })
    const priced = await priceSlices(slices, selection, context, (calls) =>
      write(corrections, calls, job),
    )
    await corrections.flush()
    return priced
  } finally {
    await writer.close()
  }
}

/**
 * Calls that share a key land together: had one of them landed and the run been cut off, both would
 * seem to be corrected.
 */
async function write(
  corrections: CorrectionWriter,
  calls: readonly PageCall[],
  job: Job,
): Promise<void> {
  for (const same of Map.groupBy(calls, ({ stored }) => stored.key).values()) {
    await corrections.add(
      same.flatMap(({ stored, newPrice }) =>
        newPrice === undefined ? [] : [correctionOf(stored, newPrice, job)],
      ),
    )
  }
}

async function priceSlices(
  slices: readonly Slice[],
  selection: Selection,
  { clickhouse, pricePage, progress, signal }: JobContext,
  onPriced: (calls: readonly PageCall[]) => Promise<void> = async () => {},
): Promise<Priced> {
  const tally = createTally()
  let ambiguous = 0
  const total = slices.reduce((sum, { calls }) => sum + calls, 0)
  progress.start('prices', total)
  for (const slice of slices) {
    for await (const page of readPages(clickhouse, selection, slice)) {
      signal.throwIfAborted()
      const priced = pricePage(page)
      ambiguous += priced.ambiguous
      for (const call of priced.calls) tally.add(changeOf(call))
      await onPriced(priced.calls)
      progress.advance(priced.calls.length)
    }
  }
  return { tally, ambiguous }
}

function changeOf({ stored, newPrice }: PageCall): PriceChange {
  const oldCostPicoUsd = toBigint(stored.cost_pico_usd)
  return {
    model: stored.request_model === '' ? stored.response_model : stored.request_model,
    tenant: stored.tenant,
    isCorrected: newPrice !== undefined,
    oldStatus: stored.price_status,
    newStatus: newPrice === undefined ? stored.price_status : newPrice.status,
    oldCostPicoUsd,
    newCostPicoUsd: newPrice === undefined ? oldCostPicoUsd : newPrice.costPicoUsd,
  }
}

/** Waits until the run's corrections are in the rollups, and brings the rows after them. */
async function land(job: Job, corrected: number, context: JobContext): Promise<void> {
  const { clickhouse, progress } = context
  progress.say(`${count(corrected)} corrections written. Waiting until they have landed.`)
  await waitUntilLanded({ ...context, say: progress.say })
  const days = await readCorrectedDays(clickhouse, job.id)
  const landed = days.reduce((sum, { corrections }) => sum + corrections, 0)
  if (landed !== corrected) {
    throw new RepriceError(
      `${count(landed)} of ${count(corrected)} corrections of ${job.id} have landed; the dead letters ` +
        'and the log of sink say why. Run this again once that is mended.',
    )
  }
  progress.say('Corrections have landed in the rollups. Bringing the rows of spans up to date.')
  await bringRowsUpToDate(days, context)
}
