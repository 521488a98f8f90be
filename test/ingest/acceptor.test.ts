import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { deadLetters } from '../../schemas/topics.ts'
import type { OtlpRequest } from '../../services/ingest/accept.ts'
import { createAcceptor } from '../../services/ingest/acceptor.ts'
import type { TranscodeLimits } from '../../services/ingest/transcode.ts'
import { OverloadedError } from '../../services/runtime/grouped-writer.ts'
import { TransientError } from '../../services/runtime/records.ts'
import { memoryWriter } from '../support/memory.ts'
import { otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { decodeBatches, transcoder } from '../support/spans.ts'

const NOW = 1_767_323_046_000.25
const bad: SpanInput = { spanId: Buffer.alloc(8) }

const request = (...spans: readonly SpanInput[]): OtlpRequest => ({
  via: 'otlp_grpc',
  encoding: 'proto',
  body: otlpRequest({ spans }),
  tenant: undefined,
})

/** An acceptor over a writer in memory, and all that it told. */
function acceptor(
  before: (topic: string) => void = () => {},
  limits: Partial<TranscodeLimits> = {},
) {
  const writer = memoryWriter(before)
  const told: unknown[] = []
  const accept = createAcceptor({
    transcode: transcoder(limits),
    writer,
    spanPartitions: 7,
    deadLetterPartitions: 3,
    now: () => NOW,
    onSpans: (via, spans) => told.push([via, spans]),
    onRejected: (reason) => told.push(reason),
  })
  return { accept, writer, told }
}

describe('A request that is taken', () => {
  test('is written under the hash of its bytes, to the partition that the hash tells', async () => {
    const { accept, writer, told } = acceptor()
    const sent = request({ name: 'one' }, { name: 'two' })
    expect(await accept(sent)).toEqual({ type: 'accepted', spans: 2, rejected: 0, message: '' })
    const hash = createHash('sha256').update(sent.body).digest().subarray(0, 16)
    const [write] = writer.writes
    expect(write).toMatchObject({
      topic: 'spans',
      records: [
        {
          key: hash,
          partition: hash.readUInt32BE(0) % 7,
          headers: { request: `${hash.toString('hex')}/0` },
        },
      ],
    })
    const decoded = decodeBatches(write?.records.map(({ value }) => value) ?? [])
    expect(decoded.map((span) => [span['name'], span['received_time_unix_nano']])).toEqual([
      ['one', 1_767_323_046_000_000_000n],
      ['two', 1_767_323_046_000_000_000n],
    ])
    expect(told).toEqual([['otlp_grpc', 2]])
  })

  test('is written in numbered parts to one partition where it is large', async () => {
    const { accept, writer } = acceptor(() => {}, { maxBatchBytes: 300 })
    await accept(request({ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }))
    const records = writer.writes.flatMap((write) => write.records)
    expect(records.length).toBeGreaterThan(1)
    expect(new Set(records.map(({ partition }) => partition)).size).toBe(1)
    expect(records.map(({ headers }) => headers['request']?.split('/')[1])).toEqual(
      records.map((_, part) => String(part)),
    )
    expect(writer.writes).toHaveLength(1)
  })

  test('and sent again is written alike, so that a reader knows it', async () => {
    const { accept, writer } = acceptor()
    await accept(request({ name: 'a' }))
    await accept(request({ name: 'a' }))
    await accept(request({ name: 'b' }))
    const headers = writer.writes.map(({ records }) => records[0]?.headers['request'])
    expect(headers[1]).toBe(headers[0])
    expect(headers[2]).not.toBe(headers[0])
  })

  test('writes nothing where it holds no spans', async () => {
    const { accept, writer } = acceptor()
    expect(await accept(request())).toMatchObject({ type: 'accepted', spans: 0, rejected: 0 })
    expect(writer.writes).toEqual([])
  })

  test('has its bad spans written as dead letters, after the good ones', async () => {
    const { accept, writer, told } = acceptor()
    const acceptance = await accept(request(bad, { name: 'good' }, bad))
    expect(acceptance).toMatchObject({ type: 'accepted', spans: 1, rejected: 2 })
    expect(acceptance.message).toBe(
      'span 0: span_id must be 8 bytes, not all of them zero; span 2: span_id must be 8 bytes, not all of them zero',
    )
    expect(writer.writes.map(({ topic }) => topic)).toEqual(['spans', 'dead-letters'])
    expect(
      deadLetters.codec.decode(writer.writes[1]?.records[0]?.value ?? Buffer.alloc(0)),
    ).toMatchObject(
      [0, 2].map((index) => ({
        time_unix_nano: 1_767_323_046_000_000_000n,
        worker: 'ingest',
        source: 'otlp_grpc',
        partition: -1,
        offset: -1n,
        index,
        reason: 'invalid_span_id',
        format: 'otlp_proto',
      })),
    )
    expect(told).toEqual([['otlp_grpc', 1], 'invalid_span_id', 'invalid_span_id'])
  })

  test('names five bad spans, and counts the others', async () => {
    const { message } = await acceptor().accept(request(...Array.from({ length: 8 }, () => bad)))
    expect(message.split('; ')).toHaveLength(6)
    expect(message).toMatch(/; and 3 more$/)
  })
})

describe('A request that is not taken', () => {
  test.each<[string, Error, object]>([
    ['overloaded', new OverloadedError('full'), { type: 'overloaded', retryAfterMs: 1_000 }],
    ['unavailable', new TransientError('no leader'), { type: 'unavailable', retryAfterMs: 5_000 }],
  ])('because Kafka is %s is to be sent again, and is not counted', async (_, error, expected) => {
    for (const topic of ['spans', 'dead-letters']) {
      const { accept, told } = acceptor((written) => {
        if (written === topic) throw error
      })
      expect(await accept(request({}, bad))).toMatchObject(expected)
      expect(told).toEqual([])
    }
  })

  test.each<[string, OtlpRequest, object]>([
    [
      'malformed',
      { via: 'otlp_http', encoding: 'proto', body: Buffer.from('{}'), tenant: undefined },
      { type: 'malformed' },
    ],
    [
      'malformed',
      { via: 'otlp_http', encoding: 'json', body: Buffer.from('['), tenant: undefined },
      { type: 'malformed' },
    ],
    ['too large', request({ name: 'x'.repeat(300) }), { type: 'too_large' }],
  ])('because it is %s is refused, and nothing is written', async (_, sent, expected) => {
    const { accept, writer, told } = acceptor(() => {}, { maxOutputBytes: 300 })
    expect(await accept(sent)).toMatchObject(expected)
    expect([writer.writes, told]).toEqual([[], []])
  })

  test('because of a bug rejects', async () => {
    const { accept } = acceptor(() => {
      throw new RangeError('a bug')
    })
    await expect(accept(request({}))).rejects.toThrow(RangeError)
  })
})
