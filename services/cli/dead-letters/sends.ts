import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import { FETCH, MAX_CHUNK_BYTES, REPEATS } from '#runtime/defaults.ts'
import type { ClosableWriter, Kafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { type Chunk, runRecordLoop, type Stage } from '#runtime/record-loop.ts'
import type { NewRecord, RecordWriter } from '#runtime/records.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { BatchError } from '#schemas/codec.ts'
import type { DeadLetterSend } from '#schemas/items.ts'
import { deadLetterSender } from '#schemas/readers.ts'
import { deadLetterSends, deadLettersSent } from '#schemas/topics.ts'
import { DeadLettersError } from './dead-letters-error.ts'

const POLL_MS = 100
const MAX_WRITE_BYTES = 1024 * 1024

/** Names of letters that were sent, each with the place of its first record in dead-letters.sends. */
export type SentLetters = ReadonlyMap<string, string>

type StoreReader = Pick<Kafka, 'partitions' | 'readPartition'>

/** Reads which letters have been sent again, ever. */
export async function readSent(kafka: StoreReader): Promise<SentLetters> {
  const partitions = await kafka.partitions(deadLettersSent.name)
  const sent = new Map<string, string>()
  for (let partition = 0; partition < partitions; partition++) {
    await kafka.readPartition(deadLettersSent.name, partition, ({ key, value }) => {
      sent.set(key, value.toString())
    })
  }
  return sent
}

/** Writes down, for good, that letters are to be sent; from here on a crash loses none of them. */
export async function askToSend(
  writer: RecordWriter,
  partitions: number,
  sends: readonly DeadLetterSend[],
): Promise<void> {
  const records = sends.map((send) => ({
    partition: partitionOf(send.letter_id, partitions),
    key: Buffer.from(send.letter_id),
    value: deadLetterSends.codec.encode([send]),
    headers: {},
  }))
  for (const run of inWrites(records)) await writer.write(deadLetterSends.name, run)
}

function partitionOf(letterId: string, partitions: number): number {
  return createHash('sha256').update(letterId).digest().readUInt32BE(0) % partitions
}

export interface SendStageOptions {
  readonly kafka: StoreReader
  readonly writer: RecordWriter
  /** Partitions of a topic that letters go to; undefined for one that is not there. */
  readonly partitionsOf: (topic: string) => number | undefined
  readonly sentPartitions: number
}

/**
 * The stage that takes letters from dead-letters.sends to where they go. Of the records of one letter
 * the first counts: its place is written down before it is sent, so that whoever comes later, or does
 * it all again, decides alike. What is sent carries that place, and its readers drop what they have
 * seen: so it may be sent any number of times, by any number of commands.
 */
export function createSendStage(options: SendStageOptions): Stage {
  let sent = new Map<string, string>()
  return {
    maxChunkBytes: MAX_CHUNK_BYTES,
    async takeUp() {
      sent = new Map(await readSent(options.kafka))
      return undefined
    },
    async handle(chunk, control) {
      const firsts: { readonly place: string; readonly send: DeadLetterSend }[] = []
      for (const { offset, value } of chunk.records) {
        const send = decodeSend(value)
        if (send === undefined) continue
        const place = formatSource({ source: sourceOf(chunk), offset, part: 0 })
        const first = sent.get(send.letter_id) ?? place
        sent.set(send.letter_id, first)
        if (first === place) firsts.push({ place, send })
      }
      const marks = firsts.map(({ place, send }) => markOf(chunk, options, place, send))
      for (const run of inWrites(marks)) {
        await control.untilDone(() => options.writer.write(deadLettersSent.name, run))
      }
      const byTopic = Map.groupBy(firsts, ({ send }) => send.topic)
      for (const [topic, of] of byTopic) {
        const partitions = options.partitionsOf(topic)
        if (partitions === undefined) throw new Error(`there is no topic ${topic} to send to`)
        const records = of.map(({ place, send }) => ({
          partition: chunk.partition % partitions,
          key: null,
          value: send.payload,
          headers: { ...send.headers, [SOURCE_HEADER]: place },
        }))
        for (const run of inWrites(records)) {
          await control.untilDone(() => options.writer.write(topic, run))
        }
      }
    },
  }
}

function sourceOf({ topic, partition }: Chunk): string {
  return `${topic}/${partition}`
}

function markOf(
  { partition }: Chunk,
  { sentPartitions }: SendStageOptions,
  place: string,
  { letter_id: id }: DeadLetterSend,
): NewRecord {
  const key = Buffer.from(id)
  return { partition: partition % sentPartitions, key, value: Buffer.from(place), headers: {} }
}

/** Undefined for what no command has written: there is nobody who could be told. */
function decodeSend(value: Buffer): DeadLetterSend | undefined {
  try {
    return deadLetterSends.codec.decode(value)[0]
  } catch (error) {
    if (error instanceof BatchError) return undefined
    throw error
  }
}

function inWrites(records: readonly NewRecord[]): readonly (readonly NewRecord[])[] {
  const runs: NewRecord[][] = []
  let bytes = MAX_WRITE_BYTES
  for (const record of records) {
    bytes += record.value.length
    if (bytes > MAX_WRITE_BYTES || runs.length === 0) {
      runs.push([record])
      bytes = record.value.length
    } else runs.at(-1)?.push(record)
  }
  return runs
}

export interface DeliverOptions {
  readonly kafka: Kafka
  readonly writer: ClosableWriter
  readonly partitionsOf: (topic: string) => number | undefined
  readonly logger: Logger
  /** Given up when nothing has been sent for this long. */
  readonly quietMs: number
}

/**
 * Takes all that waits in dead-letters.sends to where it goes, with other commands that do the same.
 * Resolves when nothing waits any more.
 */
export async function deliver(options: DeliverOptions): Promise<void> {
  const { kafka, writer, logger, partitionsOf } = options
  const sentPartitions = await requirePartitions(kafka, deadLettersSent.name)
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  const consumer = await runRecordLoop({
    kafka,
    group: deadLetterSender.group,
    topic: deadLetterSends.name,
    fetch: FETCH,
    repeats: REPEATS,
    logger,
    onFatal: failed.reject,
    observer: { handled: () => undefined, retried: () => undefined },
    stage: createSendStage({ kafka, writer, partitionsOf, sentPartitions }),
  })
  try {
    await Promise.race([untilEmpty(options), failed.promise])
  } finally {
    await consumer.stop()
  }
}

async function untilEmpty({ kafka, quietMs }: DeliverOptions): Promise<void> {
  let left: bigint | undefined
  let quietSinceMs = performance.now()
  for (;;) {
    const now = await kafka.lag(deadLetterSender.group, deadLetterSends.name)
    if (now === 0n) return
    if (now !== left) quietSinceMs = performance.now()
    left = now
    if (performance.now() - quietSinceMs > quietMs) {
      throw new DeadLettersError(
        `${left} letters wait to be sent and none has gone for ${quietMs / 1_000} s: another command may ` +
          'hold them, or Kafka be slow. Run this again: what was sent counts once.',
      )
    }
    await delay(POLL_MS)
  }
}
