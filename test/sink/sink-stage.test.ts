import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { createCodec } from '../../schemas/codec.ts'
import { deadLetters } from '../../schemas/topics.ts'
import { ClickHouseError } from '../../services/runtime/clickhouse-error.ts'
import { type KafkaRecord, TransientError } from '../../services/runtime/records.ts'
import { createSinkStage } from '../../services/sink/sink-stage.ts'
import { memoryControl, memoryWriter, record } from '../support/memory.ts'

const codec = createCodec<{ text: string }>({
  type: 'record',
  name: 'Item',
  fields: [{ name: 'text', type: 'string' }],
})
const batch = (offset: number, ...texts: string[]) =>
  record(offset, codec.encode(texts.map((text) => ({ text }))))

const badData = () => new ClickHouseError('cannot parse', '27', 'bad_data')
const down = () => new ClickHouseError('refused', 'ECONNREFUSED', 'unavailable')

function textsOf(file: readonly Buffer[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const texts: string[] = []
    const decoder = new avro.streams.BlockDecoder()
    decoder.on('data', (item: { text: string }) => texts.push(item.text))
    decoder.on('end', () => resolve(texts.join(' ')))
    decoder.on('error', reject)
    decoder.end(Buffer.concat(file))
  })
}

interface Run {
  /** What happened, in order: "markPending", "insert <texts>". */
  readonly log: string[]
  readonly tokens: string[]
  readonly letters: unknown[]
  readonly reasons: string[]
  readonly done: Promise<void>
}

/** Handles one chunk; `fail` may throw for an insert, by its texts and its number. */
function handle(
  records: readonly KafkaRecord[],
  {
    fail = () => {},
    tries = 1,
    letterTopic = () => {},
  }: {
    fail?: (texts: string, attempt: number) => void
    tries?: number
    letterTopic?: () => void
  } = {},
): Run {
  const log: string[] = []
  const tokens: string[] = []
  const letters: unknown[] = []
  const reasons: string[] = []
  const writer = memoryWriter(letterTopic)
  const stage = createSinkStage({
    worker: 'sink',
    codec,
    table: 'landing',
    scope: 'eu.sink',
    async insert({ table, file, token }) {
      const texts = await textsOf(file)
      log.push(`insert ${texts}`)
      tokens.push(token)
      expect(table).toBe('landing')
      fail(texts, tokens.length)
    },
    writer,
    deadLetterPartitions: 2,
    maxChunkBytes: 1_000,
    onRejected: (reason) => reasons.push(reason),
  })
  const chunk = { topic: 'in', partition: 3, first: 0n, last: 99n, records, wasPending: false }
  const run = async () => {
    await stage.handle(chunk, memoryControl(log, tries))
    for (const { topic, records: written } of writer.writes) {
      expect(topic).toBe(deadLetters.name)
      letters.push(...written.flatMap(({ value }) => deadLetters.codec.decode(value)))
    }
  }
  return { log, tokens, letters, reasons, done: run() }
}

describe('A run of records', () => {
  test('is noted as pending, then inserted as one', async () => {
    const { log, tokens, letters, done } = handle([batch(4, 'a', 'b'), batch(6, 'c')])
    await done
    expect(log).toEqual(['markPending', 'insert a b c'])
    expect(tokens).toEqual([`eu.sink/in/3/4/6/${record(4, '').timeMs}`])
    expect(letters).toEqual([])
  })

  test('is inserted again with the same token, until ClickHouse answers', async () => {
    const { log, tokens, letters, done } = handle([batch(4, 'a'), batch(5, 'b')], {
      tries: 3,
      fail(_, attempt) {
        if (attempt < 3) throw down()
      },
    })
    await done
    expect(log).toEqual(['markPending', 'insert a b', 'insert a b', 'insert a b'])
    expect(new Set(tokens).size).toBe(1)
    expect(letters).toEqual([])
  })

  test('fails with a TransientError while ClickHouse does not answer, and rejects nothing', async () => {
    const { done, reasons } = handle([batch(4, 'a')], {
      fail() {
        throw down()
      },
    })
    await expect(done).rejects.toThrow(TransientError)
    expect(reasons).toEqual([])
  })

  test('has another token than the same offsets of a topic that was made again', async () => {
    const first = handle([record(4, batch(4, 'a').value, { timeMs: 1 })])
    const second = handle([record(4, batch(4, 'b').value, { timeMs: 2 })])
    await Promise.all([first.done, second.done])
    expect(first.tokens).not.toEqual(second.tokens)
  })

  test('of repeats alone is neither noted nor inserted', async () => {
    const { log, done } = handle([])
    await done
    expect(log).toEqual([])
  })

  test('fails with the bug where there is one', async () => {
    const { done, letters } = handle([batch(4, 'a')], {
      fail() {
        throw new RangeError('a bug')
      },
    })
    await expect(done).rejects.toThrow(RangeError)
    expect(letters).toEqual([])
  })
})

const failFor = (bad: string) => (texts: string) => {
  if (texts.split(' ').includes(bad)) throw badData()
}

describe('A bad record of a run', () => {
  test('becomes a dead letter, and the others are inserted one by one', async () => {
    const records = [batch(4, 'a'), batch(5, 'bad'), batch(7, 'c')]
    const { log, tokens, letters, reasons, done } = handle(records, { fail: failFor('bad') })
    await done
    expect(log).toEqual(['markPending', 'insert a bad c', 'insert a', 'insert bad', 'insert c'])
    expect(new Set(tokens).size).toBe(4)
    expect(reasons).toEqual(['invalid_batch'])
    expect(letters).toMatchObject([
      {
        worker: 'sink',
        source: 'in',
        partition: 3,
        offset: 5n,
        index: -1,
        reason: 'invalid_batch',
        detail: expect.stringContaining('landing'),
        payload: records[1]?.value,
      },
    ])
  })

  test('is told before ClickHouse where it is no batch at all', async () => {
    const garbage = record(5, 'garbage')
    const { log, letters, done } = handle([batch(4, 'a'), garbage, batch(6, 'c')])
    await done
    expect(log).toEqual(['markPending', 'insert a', 'insert c'])
    expect(letters).toMatchObject([{ offset: 5n, payload: garbage.value }])
  })

  test('gives the same tokens when the run comes again after a crash', async () => {
    const records = [batch(4, 'a'), batch(5, 'bad')]
    const crashed = handle(records, {
      fail: failFor('bad'),
      letterTopic() {
        throw new TransientError('no leader')
      },
    })
    await expect(crashed.done).rejects.toThrow(TransientError)
    const again = handle(records, { fail: failFor('bad') })
    await again.done
    expect(again.tokens).toEqual(crashed.tokens)
    expect(again.letters).toHaveLength(1)
  })
})
