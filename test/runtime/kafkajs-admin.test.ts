import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { fetchCommitted } from '../../services/runtime/kafkajs-admin.ts'
import { TransientError } from '../../services/runtime/records.ts'

interface Entry {
  readonly partition: number
  readonly offset: string
  readonly metadata: string
  readonly errorCode: number
}

interface Answer {
  readonly responses: readonly { readonly topic: string; readonly partitions: readonly Entry[] }[]
  readonly errorCode: number
}

/** What kafkajs makes of an answer to OffsetFetch: it throws the first error that stands in it. */
const { parse }: { readonly parse: (answer: Answer) => Promise<Answer> } = createRequire(
  import.meta.url,
)('kafkajs/src/protocol/requests/offsetFetch/v4/response.js')

/** An admin of kafkajs whose broker gives this answer. */
const adminOf = (answer: Answer) => ({
  async fetchOffsets() {
    const { responses } = await parse(answer)
    return responses.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, offset, metadata }) => ({
        partition,
        offset,
        metadata: metadata || null,
      })),
    }))
  },
})

const of = (topic: string, ...partitions: readonly Partial<Entry>[]) => ({
  topic,
  partitions: partitions.map((entry, partition) => ({
    partition,
    offset: '-1',
    metadata: '',
    errorCode: 0,
    ...entry,
  })),
})

const NOTHING = { offset: '-1' }
const fetch = (responses: Answer['responses'], errorCode = 0, end = 2n ** 62n) =>
  fetchCommitted(adminOf({ responses, errorCode }), 'sink', { topic: 'spans', partition: 1, end })

describe('What a group committed', () => {
  test('is an offset and its text', async () => {
    const own = { offset: '9007199254740993', metadata: 'a note' }
    await expect(fetch([of('spans', NOTHING, own)])).resolves.toEqual({
      offset: 9_007_199_254_740_993n,
      metadata: 'a note',
    })
  })

  test('may have no text', async () => {
    await expect(fetch([of('spans', NOTHING, { offset: '0' })])).resolves.toEqual({
      offset: 0n,
      metadata: '',
    })
  })

  test('is nothing where Kafka says so', async () => {
    await expect(fetch([of('spans', { offset: '7' }, NOTHING)])).resolves.toBeUndefined()
  })

  test.each([
    ['says nothing of the partition', [of('spans', { offset: '7' })]],
    ['names no partition, as where kafkajs asked for none', [of('spans')]],
    ['is of another topic', [of('others', NOTHING, NOTHING)]],
    ['is empty', []],
  ])('is not known, and asked for again, where an answer %s', async (_, responses) => {
    const error: unknown = await fetch(responses).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TransientError)
    // The consumer is handed the cause, and fetches again by what it says.
    expect(error).toMatchObject({ cause: { name: 'KafkaJSError', retriable: true } })
  })

  test.each([
    [3, 'UNKNOWN_TOPIC_OR_PARTITION'],
    [14, 'GROUP_LOAD_IN_PROGRESS'],
    [15, 'GROUP_COORDINATOR_NOT_AVAILABLE'],
    [16, 'NOT_COORDINATOR_FOR_GROUP'],
    [88, 'UNSTABLE_OFFSET_COMMIT'],
  ])('is asked for again where the answer carries error %i, %s', async (errorCode, type) => {
    const expected = { name: 'TransientError', cause: { type, retriable: true } }
    await expect(fetch([of('spans', NOTHING, { errorCode })])).rejects.toMatchObject(expected)
    await expect(fetch([], errorCode)).rejects.toMatchObject(expected)
  })

  test('may be the end of the partition, and is not believed beyond it', async () => {
    const answer = [of('spans', NOTHING, { offset: '100' })]
    await expect(fetch(answer, 0, 100n)).resolves.toMatchObject({ offset: 100n })
    const beyond = fetch(answer, 0, 99n)
    await expect(beyond).rejects.toBeInstanceOf(TransientError)
    await expect(beyond).rejects.toThrow(/up to 100, and it ends at 99/)
  })

  test('is not asked for again where the answer will stay the same', async () => {
    const cause = { type: 'GROUP_AUTHORIZATION_FAILED' }
    const expected = { name: 'NotAuthorizedError', cause }
    await expect(fetch([of('spans', NOTHING, { errorCode: 30 })])).rejects.toMatchObject(expected)
  })
})
