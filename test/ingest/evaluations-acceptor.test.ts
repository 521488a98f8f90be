import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { OverloadedError } from '#runtime/grouped-writer.ts'
import { TransientError } from '#runtime/records.ts'
import { deadLetters, evaluations } from '#schemas/topics.ts'
import { createEvaluationsAcceptor } from '../../services/ingest/evaluations-acceptor.ts'
import { memoryWriter } from '../support/memory.ts'

const NOW = 1_767_323_046_000.25
const good = { trace_id: 'ab'.repeat(16), evaluator: 'factuality', score: 0.5 }
const bad = { ...good, score: 7 }
const bodyOf = (value: unknown) => Buffer.from(JSON.stringify(value))

/** An acceptor over a writer in memory, and all that it told. */
function acceptor(before: (topic: string) => void = () => {}) {
  const writer = memoryWriter(before)
  const told: unknown[] = []
  const accept = createEvaluationsAcceptor({
    writer,
    partitions: 7,
    deadLetterPartitions: 3,
    now: () => NOW,
    onAccepted: (count) => told.push(count),
    onRejected: (reason) => told.push(reason),
  })
  return { accept, writer, told }
}

describe('A request of evaluations that is taken', () => {
  test('is written under the hash of its bytes, to the partition that the hash tells', async () => {
    const { accept, writer, told } = acceptor()
    const body = bodyOf([good, { ...good, score: 1 }])
    expect(await accept(body)).toEqual({ type: 'accepted', accepted: 2, rejected: [] })
    const hash = createHash('sha256').update(body).digest().subarray(0, 16)
    const headers = { request: `${hash.toString('hex')}/0` }
    expect(writer.writes).toMatchObject([
      {
        topic: 'evaluations',
        records: [{ key: hash, partition: hash.readUInt32BE(0) % 7, headers }],
      },
    ])
    const [value] = writer.writes.flatMap(({ records }) => records.map((each) => each.value))
    expect(evaluations.codec.decode(value ?? Buffer.alloc(0))).toMatchObject([
      { score: 0.5, origin: 'api', time_unix_nano: 1_767_323_046_000_000_000n },
      { score: 1 },
    ])
    expect(told).toEqual([2])
  })

  test('and sent again is written alike, so that a reader knows it', async () => {
    const { accept, writer } = acceptor()
    for (const body of [[good], [good], [bad, good]]) await accept(bodyOf(body))
    const headers = writer.writes.map(({ records }) => records[0]?.headers['request'])
    expect(headers[1]).toBe(headers[0])
    expect(headers[2]).not.toBe(headers[0])
  })

  test('is written in numbered parts to one partition where it is large', async () => {
    const { accept, writer } = acceptor()
    const explanation = 'x'.repeat(64 * 1_024)
    await accept(bodyOf(Array.from({ length: 40 }, () => ({ ...good, explanation }))))
    const records = writer.writes.flatMap((write) => write.records)
    expect(writer.writes).toHaveLength(1)
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1)
    expect(records.map(({ headers }) => headers['request']?.split('/')[1])).toEqual(['0', '1', '2'])
    expect(Math.max(...records.map(({ value }) => value.length))).toBeLessThanOrEqual(1024 * 1024)
    const counts = records.map(({ value }) => evaluations.codec.decode(value).length)
    expect(counts).toEqual([15, 15, 10])
  })

  test('has its bad evaluations written as dead letters, after the good ones', async () => {
    const { accept, writer, told } = acceptor()
    expect(await accept(bodyOf([bad, good, { evaluator: 'e', score: 1 }]))).toEqual({
      type: 'accepted',
      accepted: 1,
      rejected: [
        { index: 0, message: 'score must be a number from 0 to 1' },
        { index: 2, message: 'trace_id is missing; request_id or response_id would do, too' },
      ],
    })
    expect(writer.writes.map(({ topic }) => topic)).toEqual(['evaluations', 'dead-letters'])
    const [letters] = writer.writes[1]?.records ?? []
    expect(deadLetters.codec.decode(letters?.value ?? Buffer.alloc(0))).toMatchObject([
      {
        time_unix_nano: 1_767_323_046_000_000_000n,
        worker: 'ingest',
        source: 'evaluations_http',
        partition: -1,
        offset: -1n,
        index: 0,
        reason: 'invalid_evaluation',
        detail: 'score must be a number from 0 to 1',
        format: 'evaluation_json',
        payload: bodyOf(bad),
      },
      { index: 2 },
    ])
    expect(told).toEqual([1, 'invalid_evaluation', 'invalid_evaluation'])
  })

  test('writes nothing where it holds none', async () => {
    const { accept, writer } = acceptor()
    expect(await accept(bodyOf([]))).toEqual({ type: 'accepted', accepted: 0, rejected: [] })
    expect(writer.writes).toEqual([])
  })
})

describe('A request of evaluations that is not taken', () => {
  test('because all are bad tells every mistake, and nothing is written', async () => {
    const { accept, writer, told } = acceptor()
    expect(await accept(bodyOf([bad, { evaluator: 'e' }]))).toEqual({
      type: 'malformed',
      message: 'No evaluation is valid',
      mistakes: [
        { index: 0, field: 'score', message: 'must be a number from 0 to 1' },
        {
          index: 1,
          field: 'trace_id',
          message: 'is missing; request_id or response_id would do, too',
        },
        { index: 1, field: 'score', message: 'is missing; a label would do, too' },
      ],
    })
    expect([writer.writes, told]).toEqual([[], []])
  })

  test.each<[string, Buffer, object]>([
    ['malformed', Buffer.from('['), { type: 'malformed', mistakes: [] }],
    ['too large', bodyOf(Array.from({ length: 10_001 }, () => good)), { type: 'too_large' }],
  ])('because it is %s is refused', async (_, body, expected) => {
    const { accept, writer } = acceptor()
    expect(await accept(body)).toMatchObject(expected)
    expect(writer.writes).toEqual([])
  })

  test.each<[string, Error, object]>([
    ['overloaded', new OverloadedError('full'), { type: 'overloaded', retryAfterMs: 1_000 }],
    ['unavailable', new TransientError('no leader'), { type: 'unavailable', retryAfterMs: 5_000 }],
  ])('because Kafka is %s is to be sent again, and is not counted', async (_, error, expected) => {
    for (const topic of ['evaluations', 'dead-letters']) {
      const { accept, told } = acceptor((written) => {
        if (written === topic) throw error
      })
      expect(await accept(bodyOf([good, bad]))).toMatchObject(expected)
      expect(told).toEqual([])
    }
  })

  test('because of a bug rejects', async () => {
    const { accept } = acceptor(() => {
      throw new RangeError('a bug')
    })
    await expect(accept(bodyOf(good))).rejects.toThrow(RangeError)
  })
})
