import { array, assert, asyncProperty, boolean, integer, oneof, option, record } from 'fast-check'
import { expect, test } from 'vitest'
import { parseSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { Stage } from '#runtime/record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from '#runtime/records.ts'
import { Repeats } from '#runtime/repeats.ts'
import type { DeadLetterSend } from '#schemas/items.ts'
import { deadLetterSends, deadLettersSent } from '#schemas/topics.ts'
import { askToSend, createSendStage, readSent } from '../../../services/cli/dead-letters/sends.ts'

/** Ends a command at a write, before it or after it was done but not yet told. */
class Crash extends Error {}

/** Kafka in memory: logs by topic and partition. A command may end at any write. */
class MemoryKafka {
  readonly logs = new Map<string, NewRecord[]>()
  /** The next write to fail, and whether it is done before. */
  crash: { writes: number; isDone: boolean } | undefined

  log(topic: string, partition: number): NewRecord[] {
    const place = `${topic}/${partition}`
    const log = this.logs.get(place) ?? []
    this.logs.set(place, log)
    return log
  }

  readonly writer: RecordWriter = {
    write: async (topic, records) => {
      const crashes = this.crash !== undefined && this.crash.writes-- === 0
      if (crashes && this.crash?.isDone === false) throw new Crash()
      for (const each of records) this.log(topic, each.partition).push(each)
      if (crashes) throw new Crash()
    },
  }

  readonly store = {
    partitions: async () => PARTITIONS,
    readPartition: async (
      topic: string,
      partition: number,
      onRecord: (record: { offset: bigint; key: string; value: Buffer }) => void,
    ) => {
      for (const [offset, { key, value }] of this.log(topic, partition).entries()) {
        onRecord({ offset: BigInt(offset), key: String(key), value })
      }
    },
  }
}

const PARTITIONS = 2
const OUT = 'otlp_spans'

const send = (letter: number, author: string): DeadLetterSend => ({
  time_unix_nano: 1n,
  letter_id: `letter ${letter}`,
  author,
  topic: OUT,
  headers: { tenant: 'acme' },
  payload: Buffer.from(`letter ${letter}`),
})

const stageOf = (kafka: MemoryKafka): Stage =>
  createSendStage({
    kafka: kafka.store,
    writer: kafka.writer,
    partitionsOf: (topic) => (topic === OUT ? PARTITIONS : undefined),
    sentPartitions: PARTITIONS,
  })

const never = () => Promise.reject(new Error('not asked for'))

/** Handles one run of a partition, from a committed offset on, as the record loop does. */
async function handle(
  kafka: MemoryKafka,
  stage: Stage,
  { partition, from, to }: { partition: number; from: number; to: number },
): Promise<void> {
  const log = kafka.log(deadLetterSends.name, partition)
  const records = log.slice(from, to).map(({ value }, i): KafkaRecord => ({
    offset: BigInt(from + i),
    timeMs: 0,
    value,
    headers: {},
  }))
  if (records.length === 0) return
  await stage.handle(
    {
      topic: deadLetterSends.name,
      partition,
      first: BigInt(from),
      last: BigInt(to - 1),
      wasPending: false,
      records,
    },
    {
      markPending: never,
      clearPending: never,
      checkpoint: () => '',
      untilDone: (task) => task(),
    },
  )
}

/** What a reader of the topic takes, who drops what it has seen. */
function taken(kafka: MemoryKafka): readonly string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const repeats = new Repeats({ horizonMs: 0, maxRequests: 0 }, { sources: new Map() })
    return kafka
      .log(OUT, partition)
      .filter(
        ({ headers, value }, offset) =>
          !repeats.isRepeat({ offset: BigInt(offset), timeMs: 0, value, headers }),
      )
      .map(({ value }) => value.toString())
  }).flat()
}

const chunk = record({
  isZombie: boolean(),
  size: integer({ min: 1, max: 4 }),
  crash: option(record({ writes: integer({ min: 0, max: 2 }), isDone: boolean() }), {
    nil: undefined,
  }),
  isCommitted: boolean(),
})
const step = oneof(
  record({ ask: array(integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }) }),
  record({ partition: integer({ min: 0, max: PARTITIONS - 1 }), chunk }),
)

test('However commands ask, crash and go on after they have lost a partition, each letter is taken once', async () => {
  let repeated = 0
  await assert(
    asyncProperty(array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const kafka = new MemoryKafka()
      const committed = [0, 0]
      const asked = new Set<string>()
      let owner = stageOf(kafka)
      await owner.takeUp?.(0)
      const zombies: { stage: Stage; at: readonly number[] }[] = []
      for (const each of steps) {
        if ('ask' in each) {
          const sends = each.ask.map((letter) => send(letter, 'somebody'))
          await askToSend(kafka.writer, PARTITIONS, sends)
          for (const { letter_id: id } of sends) asked.add(id)
          continue
        }
        const { partition } = each
        const { isZombie, size, crash, isCommitted } = each.chunk
        // One that has lost its partitions goes on from where it stood, and its commits are refused.
        const zombie = isZombie ? zombies.pop() : undefined
        const stage = zombie?.stage ?? owner
        const from = (zombie?.at ?? committed)[partition] ?? 0
        const to = Math.min(from + size, kafka.log(deadLetterSends.name, partition).length)
        kafka.crash = crash === undefined ? undefined : { ...crash }
        let isDone = true
        try {
          await handle(kafka, stage, { partition, from, to })
        } catch (error) {
          if (!(error instanceof Crash)) throw error
          isDone = false
        }
        kafka.crash = undefined
        if (zombie !== undefined) continue
        if (isDone && isCommitted) {
          committed[partition] = to
          continue
        }
        // Another takes over, from what was committed.
        if (isDone) zombies.push({ stage, at: committed.with(partition, to) })
        owner = stageOf(kafka)
        await owner.takeUp?.(partition)
      }
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const from = committed[partition] ?? 0
        const to = kafka.log(deadLetterSends.name, partition).length
        await handle(kafka, owner, { partition, from, to })
      }
      repeated += kafka.log(OUT, 0).length + kafka.log(OUT, 1).length - asked.size
      expect(taken(kafka).toSorted()).toEqual([...asked].toSorted())
      expect([...(await readSent(kafka.store)).keys()].toSorted()).toEqual([...asked].toSorted())
    }),
    { seed: 7, numRuns: 1_000 },
  )
  expect(repeated).toBeGreaterThan(1_000)
})

test('What goes out carries its place and the headers of the letter', async () => {
  const kafka = new MemoryKafka()
  await askToSend(kafka.writer, PARTITIONS, [send(1, 'ann')])
  const stage = stageOf(kafka)
  await stage.takeUp?.(0)
  const partition = kafka.log(deadLetterSends.name, 0).length > 0 ? 0 : 1
  await handle(kafka, stage, { partition, from: 0, to: 1 })
  const [out] = kafka.log(OUT, partition)
  expect(out).toMatchObject({ headers: { tenant: 'acme' }, value: Buffer.from('letter 1') })
  expect(parseSource(out?.headers[SOURCE_HEADER] ?? '')).toEqual({
    source: `${deadLetterSends.name}/${partition}`,
    offset: 0n,
    part: 0,
  })
  expect(kafka.log(deadLettersSent.name, partition)).toHaveLength(1)
})
