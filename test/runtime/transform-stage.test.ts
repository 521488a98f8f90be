import { describe, expect, test } from 'vitest'
import { deadLetters } from '../../schemas/topics.ts'
import type { KafkaRecord, RecordWriter } from '../../services/runtime/records.ts'
import { createTransformStage, type Transform } from '../../services/runtime/transform-stage.ts'
import { memoryControl, memoryWriter, record } from '../support/memory.ts'

/** An eighth of a mebibyte. */
const EIGHTH = 128 * 1024
const rejectedOf = (payload: Buffer) => ({
  index: -1,
  reason: 'invalid',
  detail: 'it says bad',
  format: 'avro',
  payload,
  tenant: '',
})

/** Each letter of a record becomes a value; records that say "bad" are rejected. */
const letters: Transform = ({ value }) =>
  value.toString() === 'bad'
    ? { values: [], rejected: [rejectedOf(value)] }
    : {
        values: value
          .toString()
          .split('')
          .map((letter) => Buffer.from(letter)),
        rejected: [],
      }

interface Run {
  readonly writer: RecordWriter
  readonly transform?: Transform
  readonly tries?: number
  /** Partitions of the second output; none: the stage has no second output. */
  readonly secondPartitions?: number
}

async function run(
  records: readonly KafkaRecord[],
  { writer, transform = letters, tries = 1, secondPartitions }: Run,
): Promise<readonly string[]> {
  const reasons: string[] = []
  const stage = createTransformStage({
    worker: 'test',
    writer,
    transform,
    output: { topic: 'out', partitions: 2 },
    ...(secondPartitions !== undefined && {
      secondOutput: { topic: 'second', partitions: secondPartitions },
    }),
    deadLetterPartitions: 2,
    maxChunkBytes: 1_000,
    onRejected: (reason) => reasons.push(reason),
  })
  await stage.handle(
    { topic: 'in', partition: 3, first: 0n, last: 9n, records, wasPending: false },
    memoryControl([], tries),
  )
  return reasons
}

const failing: Transform = ({ offset }) => {
  if (offset === 1n) throw new Error('a bug')
  return { values: [Buffer.from('a')], rejected: [] }
}

describe('A stage that turns records into records', () => {
  test('writes them in order to the partition with the number of the input', async () => {
    const writer = memoryWriter()
    await run([record(4, 'ab'), record(6, 'c')], { writer })
    const [write, ...more] = writer.writes
    expect([write?.topic, more]).toEqual(['out', []])
    const seen = write?.records.map((one) => [
      one.value.toString(),
      one.partition,
      one.headers['source'],
    ])
    expect(seen).toEqual([
      ['a', 1, 'in/3/4/0'],
      ['b', 1, 'in/3/4/1'],
      ['c', 1, 'in/3/6/0'],
    ])
  })

  test('writes what it rejects as dead letters, after the rest', async () => {
    const writer = memoryWriter()
    const reasons = await run([record(0, 'bad'), record(1, 'a'), record(2, 'bad')], { writer })
    expect(reasons).toEqual(['invalid', 'invalid'])
    expect(writer.writes.map(({ topic }) => topic)).toEqual(['out', 'dead-letters'])
    const decoded = writer.writes[1]?.records.flatMap(({ value }) =>
      deadLetters.codec.decode(value),
    )
    expect(decoded).toMatchObject([
      { worker: 'test', source: 'in', partition: 3, offset: 0n, payload: Buffer.from('bad') },
      { worker: 'test', source: 'in', partition: 3, offset: 2n },
    ])
  })

  test('writes nothing for records that make nothing', async () => {
    const writer = memoryWriter()
    await run([record(0, '')], { writer })
    expect(writer.writes).toEqual([])
  })

  test('cuts what it writes at 1 MiB, but not a single record', async () => {
    const writer = memoryWriter()
    const sizes = [3, 3, 3, 9, 1, 1].map((eighths) => Buffer.alloc(eighths * EIGHTH))
    const transform: Transform = () => ({ values: sizes, rejected: [] })
    await run([record(0, 'x')], { writer, transform })
    expect(
      writer.writes.map(({ records }) => records.map(({ value }) => value.length / EIGHTH)),
    ).toEqual([[3, 3], [3], [9], [1, 1]])
  })

  test('writes the same again after a write that failed', async () => {
    let failures = 2
    const writer = memoryWriter(() => {
      if (failures-- > 0) throw new Error('no leader')
    })
    await run([record(4, 'ab')], { writer, tries: 3 })
    expect(writer.writes.map(({ records }) => records.length)).toEqual([2])
  })

  test('fails when its transform throws, and writes nothing', async () => {
    const writer = memoryWriter()
    await expect(
      run([record(0, 'a'), record(1, 'b')], { writer, transform: failing }),
    ).rejects.toThrow('a bug')
    expect(writer.writes).toEqual([])
  })
})

/** The first letter goes to the output, the others to the second one. */
const headAndTail: Transform = ({ value }) => {
  const [head = '', ...tail] = value.toString().split('')
  const secondValues = tail.map((letter) => Buffer.from(letter))
  return { values: [Buffer.from(head)], secondValues, rejected: [] }
}

describe('A stage with a second output', () => {
  test('writes to it after the first, numbered from 0 as there', async () => {
    const writer = memoryWriter()
    await run([record(4, 'abc'), record(5, 'd'), record(6, 'ef')], {
      writer,
      transform: headAndTail,
      secondPartitions: 3,
    })
    const seen = writer.writes.map(({ topic, records }) => [
      topic,
      records.map(({ value, partition, headers }) => [
        value.toString(),
        partition,
        headers['source'],
      ]),
    ])
    expect(seen).toEqual([
      [
        'out',
        [
          ['a', 1, 'in/3/4/0'],
          ['d', 1, 'in/3/5/0'],
          ['e', 1, 'in/3/6/0'],
        ],
      ],
      [
        'second',
        [
          ['b', 0, 'in/3/4/0'],
          ['c', 0, 'in/3/4/1'],
          ['f', 0, 'in/3/6/0'],
        ],
      ],
    ])
  })

  test('writes nothing to it where nothing is for it', async () => {
    const writer = memoryWriter()
    await run([record(0, 'a')], { writer, transform: headAndTail, secondPartitions: 3 })
    expect(writer.writes.map(({ topic }) => topic)).toEqual(['out'])
  })

  test('is wanted by a transform that writes to it', async () => {
    const writer = memoryWriter()
    const attempt = run([record(0, 'ab')], { writer, transform: headAndTail })
    await expect(attempt).rejects.toThrow('no second output')
    expect(writer.writes).toEqual([])
  })
})
