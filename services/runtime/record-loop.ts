import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import type { Consumer, ConsumeOptions, Kafka } from './kafka.ts'
import type { Logger } from './log.ts'
import { beatWhile, keepMembership } from './membership.ts'
import { Repeats, type RepeatLimits } from './repeats.ts'
import { TransientError } from './records.ts'
import type { BatchControl, Committed, KafkaRecord, RecordBatch } from './records.ts'
import { retry } from './retry.ts'

/** A run of offsets of one partition that is handled, and committed, as one. */
export interface Chunk {
  readonly topic: string
  readonly partition: number
  /** First and last offset of the run, repeats included. */
  readonly first: bigint
  readonly last: bigint
  /** Whether it was noted as pending before: its effects may have happened. */
  readonly wasPending: boolean
  /** The records of the run that are no repeats. */
  readonly records: readonly KafkaRecord[]
}

/** What a stage may ask of the loop while it handles a chunk. */
export interface ChunkControl {
  /**
   * Commits the start of the chunk with a note of its end, before a write that may or may not be
   * seen to succeed. After a crash the very same run of offsets comes again as one chunk.
   */
  markPending(): Promise<void>
  /** What a successor must remember once this chunk is done with: for takeUp. */
  checkpoint(): string
  /** Takes the note back, where it is sure that nothing was written. */
  clearPending(): Promise<void>
  /**
   * Calls `task` until it succeeds; a TransientError is retried with capped backoff while the
   * membership is kept alive. Throws LostPartitionError when the partition went elsewhere.
   */
  untilDone<T>(task: () => Promise<T>): Promise<T>
}

/** What a worker does with records. When `handle` resolves, its effects are durable. */
export interface Stage {
  readonly maxChunkBytes: number
  /** Told of every new assignment: state of other partitions is no longer this worker's. */
  onAssigned?(partitions: readonly number[]): void
  /**
   * Called before the first chunk of a partition that another may have handled meanwhile. A stage
   * that keeps state of its own gives the offset that it stands at, and the checkpoint that belongs
   * to it; else the last commit counts.
   */
  takeUp?(partition: number): Promise<Committed | undefined>
  handle(chunk: Chunk, control: ChunkControl): Promise<void>
}

/** Counts of what the loop did. */
export interface LoopObserver {
  handled(partition: number, records: number, repeats: number, lag: bigint): void
  retried(error: unknown): void
}

export interface LoopOptions {
  readonly kafka: Kafka
  readonly group: string
  readonly topic: string
  readonly stage: Stage
  readonly fetch: Pick<ConsumeOptions, 'minBytes' | 'maxWaitMs' | 'maxBytesPerPartition'>
  readonly repeats: RepeatLimits
  readonly observer: LoopObserver
  readonly logger: Logger
  readonly onFatal: (error: Error) => void
}

const BACKOFF = { firstMs: 100, maxMs: 2_000 }

/** State of a partition from its assignment on. */
interface PartitionState {
  readonly repeats: Repeats
  /** The checkpoint that stands committed, and the offset it was committed with. */
  committed: bigint
  checkpoint: Checkpoint
  /** Records read but not handled: a pending run that has not come in whole yet. */
  held: KafkaRecord[]
  /** Offset that comes next; what lies before it only refreshes the memory. */
  next: bigint
  /** Whether the memory of requests has been read back up to there. */
  remembers: boolean
}

/**
 * The one loop of every worker: reads a topic in a consumer group, drops repeats, hands chunks to
 * the stage, and commits each after its effects are durable, with what a successor must remember in
 * the commit's metadata. State of a partition lives as long as its assignment.
 */
export async function runRecordLoop(options: LoopOptions): Promise<Consumer> {
  const { kafka, group, topic, fetch, logger, onFatal } = options
  const states = new Map<number, PartitionState>()
  const stale = new Set<number>()
  const stopping = new AbortController()
  const consumer = await kafka.consume({
    group,
    topic,
    ...fetch,
    onFatal,
    onAssigned(partitions) {
      for (const partition of states.keys()) {
        if (partitions.includes(partition)) stale.add(partition)
        else states.delete(partition)
      }
      options.stage.onAssigned?.(partitions)
      logger.info({ topic, partitions }, 'Partitions assigned.')
    },
    async onBatch(batch, control) {
      try {
        let state = states.get(batch.partition)
        if (state === undefined || stale.delete(batch.partition)) {
          const restored = await restore(options, state, batch, control)
          state = restored.state
          states.set(batch.partition, state)
          if (restored.readAgain) return
        }
        await handleBatch({ options, state, batch, control, signal: stopping.signal })
      } catch (error) {
        states.delete(batch.partition)
        if (!stopping.signal.aborted || !isAbort(error)) throw error
        throw new TransientError('stopping', { cause: error })
      }
    },
  })
  return {
    async stop() {
      stopping.abort()
      await consumer.stop()
    },
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/**
 * Takes a partition up where its last commit left it. The state of an assignment before is used
 * again if it is whole and stands just there, as nobody read on in between; else the memory of
 * requests is read back.
 */
async function restore(
  { repeats: limits, topic, logger, stage }: LoopOptions,
  before: PartitionState | undefined,
  batch: RecordBatch,
  control: BatchControl,
): Promise<{ state: PartitionState; readAgain: boolean }> {
  const committed = await control.committed()
  const isOurs =
    before?.remembers === true &&
    before.committed === committed?.offset &&
    before.next === committed.offset
  const own = isOurs
    ? undefined
    : await beatWhile(control, async () => stage.takeUp?.(batch.partition))
  const found = own ?? committed
  const first = batch.records[0]?.offset ?? batch.nextOffset
  if (found === undefined) {
    const checkpoint: Checkpoint = { sources: new Map() }
    const repeats = new Repeats(limits, checkpoint)
    return {
      state: { repeats, committed: first, checkpoint, held: [], next: first, remembers: true },
      readAgain: false,
    }
  }
  const checkpoint = decodeCheckpoint(found.metadata)
  const { offset } = found
  const repeats = isOurs ? before.repeats : new Repeats(limits, checkpoint)
  const readFrom = isOurs ? offset : minimum(checkpoint.rememberFrom ?? offset, offset)
  const readAgain = first > readFrom
  if (readAgain) control.seek(readFrom)
  logger.info({ topic, partition: batch.partition, offset: String(offset) }, 'Partition taken up.')
  const at = { committed: offset, held: [], next: offset, remembers: isOurs }
  return { state: { repeats, checkpoint, ...at }, readAgain }
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

interface BatchWork {
  readonly options: LoopOptions
  readonly state: PartitionState
  readonly batch: RecordBatch
  readonly control: BatchControl
  readonly signal: AbortSignal
}

async function handleBatch(work: BatchWork): Promise<void> {
  const { state, batch, options } = work
  state.remembers ||= batch.nextOffset >= state.next
  for (const record of batch.records) {
    if (record.offset < state.next) state.repeats.remember(record)
    else {
      state.held.push(record)
      state.next = record.offset + 1n
    }
  }
  for (;;) {
    const run = nextRun(state, options.stage.maxChunkBytes)
    if (run === 0) return
    await handleRun(work, state.held.splice(0, run))
    await work.control.heartbeat()
  }
}

/** How many of the held records make the next chunk: a pending run whole, else up to a size. */
function nextRun({ held, checkpoint }: PartitionState, maxBytes: number): number {
  const { pendingTo } = checkpoint
  const last = held.at(-1)
  if (last === undefined) return 0
  const first = held[0]
  if (pendingTo !== undefined && first !== undefined && first.offset <= pendingTo) {
    if (last.offset < pendingTo) return 0
    return held.findIndex((record) => record.offset >= pendingTo) + 1
  }
  let bytes = 0
  for (let run = 0; run < held.length; run++) {
    bytes += held[run]?.value.length ?? 0
    if (bytes > maxBytes) return Math.max(1, run)
  }
  return held.length
}

async function handleRun(work: BatchWork, run: readonly KafkaRecord[]): Promise<void> {
  const { options, state, batch, control } = work
  const first = run[0]
  const last = run.at(-1)
  if (first === undefined || last === undefined) return
  const fresh = run.filter((record) => !state.repeats.isRepeat(record))
  const untilDone = <T>(task: () => Promise<T>) => retryWhileOwned(work, task)
  const keepsOwn = options.stage.takeUp !== undefined
  const commit = (offset: bigint, checkpoint: Checkpoint) =>
    untilDone(async () => {
      // Kafka takes 4 KiB of it: a stage that keeps checkpoints with its own state has room for more.
      const noted = keepsOwn ? { ...checkpoint, sources: new Map() } : checkpoint
      await control.commit({ offset, metadata: encodeCheckpoint(noted) })
      state.committed = offset
      state.checkpoint = checkpoint
    })
  await options.stage.handle(
    {
      topic: options.topic,
      partition: batch.partition,
      first: first.offset,
      last: last.offset,
      wasPending: first.offset <= (state.checkpoint.pendingTo ?? -1n),
      records: fresh,
    },
    {
      checkpoint: () => encodeCheckpoint(state.repeats.checkpoint()),
      markPending: () => commit(first.offset, { ...state.checkpoint, pendingTo: last.offset }),
      clearPending() {
        const { pendingTo: _pendingTo, ...checkpoint } = state.checkpoint
        return commit(first.offset, checkpoint)
      },
      untilDone,
    },
  )
  await commit(last.offset + 1n, state.repeats.checkpoint())
  const lag = batch.highWatermark - last.offset - 1n
  options.observer.handled(batch.partition, run.length, run.length - fresh.length, lag)
}

async function retryWhileOwned<T>(
  { options, control, signal }: BatchWork,
  task: () => Promise<T>,
): Promise<T> {
  return retry(() => beatWhile(control, task), {
    backoff: BACKOFF,
    signal,
    isTransient: (error) => error instanceof TransientError,
    async onRetry(error, waitMs) {
      options.observer.retried(error)
      options.logger.warn({ err: error, waitMs }, 'A dependency did not answer. Trying again.')
      await keepMembership(control)
    },
  })
}
