import { BatchError, batchHeader, type Codec, createCodec } from '../../../schemas/codec.ts'
import { deadLetters } from '../../../schemas/topics.ts'
import { AvroReader } from '../../../schemas/wire.ts'
import type { Stage } from '../../../services/runtime/record-loop.ts'
import type { KafkaRecord, RecordWriter } from '../../../services/runtime/records.ts'
import { createTransformStage, type Outcome } from '../../../services/runtime/transform-stage.ts'
import { createSinkStage, type InsertAvro } from '../../../services/sink/sink-stage.ts'
import { badData, type Tables } from './database.ts'

/** A small pipeline of the real stages: requests in, two kinds of rows and dead letters out. */

export const PARTITIONS = 2
export const INPUT = 'in'
const OUTPUT = 'out'
const SECOND = 'second'
const TABLE = 'landing'
const SECOND_TABLE = 'second_landing'
const LETTERS_TABLE = 'letters_landing'

export const TOPICS = [INPUT, OUTPUT, SECOND, deadLetters.name]

/** A worker of the pipeline: what its copies read, and what they do with it. */
export interface Worker {
  readonly group: string
  readonly topic: string
  stage(ports: Ports, maxChunkBytes: number): Stage
}

/** What a copy of a worker has of the world. */
export interface Ports {
  readonly writer: RecordWriter
  readonly insert: InsertAvro
}

const codec = createCodec<{ text: string }>({
  type: 'record',
  name: 'Item',
  fields: [{ name: 'text', type: 'string' }],
})

const batch = (...texts: string[]) => codec.encode(texts.map((text) => ({ text })))
const POISON = 'poison'

/** What a request stands for, by its number: all ways through the pipeline come up. */
export function outcomeOf({ value }: Pick<KafkaRecord, 'value'>): Outcome {
  const name = value.toString()
  const kind = Number(name) % 8
  if (kind === 0)
    return { values: [batch(`${name}a`, `${name}b`), batch(`${name}c`)], rejected: [] }
  if (kind === 1) {
    const letter = { index: -1, reason: 'invalid', detail: '', format: 'text', payload: value }
    return { values: [batch(name)], rejected: [{ ...letter, tenant: '' }] }
  }
  if (kind === 2) return { values: [batch(POISON, name)], rejected: [] }
  if (kind === 3) return { values: [Buffer.from(`garbage ${name}`)], rejected: [] }
  if (kind === 4) return { values: [], rejected: [] }
  if (kind === 5)
    return { values: [batch(name)], secondValues: [batch(name), batch(name + name)], rejected: [] }
  return { values: [batch(name)], rejected: [] }
}

const sink = <T>(topic: string, landing: string, items: Codec<T>): Worker => ({
  group: `sink ${topic}`,
  topic,
  stage: ({ writer, insert }, maxChunkBytes) =>
    createSinkStage({
      worker: 'sink',
      codec: items,
      table: landing,
      scope: 'model',
      insert,
      writer,
      deadLetterPartitions: PARTITIONS,
      maxChunkBytes,
      onRejected: () => undefined,
    }),
})

export const WORKERS: readonly Worker[] = [
  {
    group: 'transform',
    topic: INPUT,
    stage: ({ writer }, maxChunkBytes) =>
      createTransformStage({
        worker: 'transform',
        writer,
        transform: outcomeOf,
        output: { topic: OUTPUT, partitions: PARTITIONS },
        secondOutput: { topic: SECOND, partitions: PARTITIONS },
        deadLetterPartitions: PARTITIONS,
        maxChunkBytes,
        onRejected: () => undefined,
      }),
  },
  sink(OUTPUT, TABLE, codec),
  sink(SECOND, SECOND_TABLE, codec),
  sink(deadLetters.name, LETTERS_TABLE, deadLetters.codec),
]

/** The items of a container file as sink-stage.ts makes it: in threes, with a block in the middle. */
function itemsOf<T>(items: Codec<T>, file: readonly Buffer[]): readonly T[] {
  const found: T[] = []
  for (let part = 1; part + 1 < file.length; part += 3) {
    const [prefix, block] = file.slice(part, part + 2)
    if (prefix === undefined || block === undefined) continue
    const count = prefix.subarray(0, countBytes(prefix))
    const header = batchHeader(items.fingerprint)
    found.push(...readable(items, Buffer.concat([header, count, block, Buffer.alloc(1)])))
  }
  return found
}

function countBytes(prefix: Buffer): number {
  const reader = new AvroReader(prefix)
  reader.long()
  return reader.position
}

function readable<T>(items: Codec<T>, bytes: Buffer): readonly T[] {
  try {
    return items.decode(bytes)
  } catch (error) {
    throw error instanceof BatchError ? badData() : error
  }
}

const textsOf = (file: readonly Buffer[]) => {
  const texts = itemsOf(codec, file).map(({ text }) => text)
  if (texts.includes(POISON)) throw badData()
  return texts
}

const letterText = (worker: string, payload: Buffer) => `${worker} ${payload.toString('latin1')}`
const lettersOf = (file: readonly Buffer[]) =>
  itemsOf(deadLetters.codec, file).map(({ worker, payload }) => letterText(worker, payload))

const withViews = (table: string) => [table, `${table}_by_minute`, `${table}_by_trace`]

/** Every landing table, with the rollups that views make of it. */
export const TABLES: Readonly<Record<string, Tables>> = {
  [TABLE]: { names: withViews(TABLE), read: textsOf },
  [SECOND_TABLE]: { names: withViews(SECOND_TABLE), read: textsOf },
  [LETTERS_TABLE]: { names: withViews(LETTERS_TABLE), read: lettersOf },
}

/** The rows of every table that the requests make, which count once each. */
export function expectedRows(
  requests: readonly KafkaRecord[],
): ReadonlyMap<string, readonly string[]> {
  const rows: string[] = []
  const second: string[] = []
  const letters: string[] = []
  for (const { values, secondValues = [], rejected } of requests.map(outcomeOf)) {
    for (const value of values) {
      const texts = textsIn(value)
      if (texts === undefined) letters.push(letterText('sink', value))
      else rows.push(...texts)
    }
    second.push(...secondValues.flatMap((value) => textsIn(value) ?? []))
    letters.push(...rejected.map(({ payload }) => letterText('transform', payload)))
  }
  return new Map([
    ...withViews(TABLE).map((table) => [table, rows.toSorted()] as const),
    ...withViews(SECOND_TABLE).map((table) => [table, second.toSorted()] as const),
    ...withViews(LETTERS_TABLE).map((table) => [table, letters.toSorted()] as const),
  ])
}

/** Undefined for what ClickHouse does not take. */
function textsIn(value: Buffer): readonly string[] | undefined {
  if (value.toString().startsWith('garbage')) return undefined
  const texts = codec.decode(value).map(({ text }) => text)
  return texts.includes(POISON) ? undefined : texts
}
