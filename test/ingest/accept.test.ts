import { describe, expect, test } from 'vitest'
import { TransientError } from '#runtime/records.ts'
import { deadLetters, evaluations } from '#schemas/topics.ts'
import type { OtlpRequest, Sender } from '../../services/ingest/accept.ts'
import { createAcceptor } from '../../services/ingest/acceptor.ts'
import { createEvaluationsAcceptor } from '../../services/ingest/evaluations-acceptor.ts'
import { createTenantLimits } from '../../services/ingest/tenant-limits.ts'
import { memoryWriter } from '../support/memory.ts'
import { type Attributes, otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { decodeBatches, RECEIVED_MS, transcoder } from '../support/spans.ts'

/** What holds for a request whose key says who sends it, of spans and of evaluations. */

const NOBODY: Sender = { tenant: undefined }
const acme: Sender = { tenant: 'acme' }

/** Both acceptors over one writer in memory. */
function acceptors(before: (topic: string) => void = () => {}) {
  const writer = memoryWriter(before)
  const common = { writer, deadLetterPartitions: 3, now: () => RECEIVED_MS, onRejected() {} }
  return {
    writer,
    accept: createAcceptor({
      ...common,
      transcode: transcoder(),
      spanPartitions: 7,
      onSpans() {},
    }),
    acceptEvaluations: createEvaluationsAcceptor({ ...common, partitions: 7, onAccepted() {} }),
    valuesOf: (topic: string) =>
      writer.writes
        .filter((write) => write.topic === topic)
        .flatMap(({ records }) => records.map(({ value }) => value)),
    keys: () =>
      writer.writes.flatMap(({ records }) => records.map(({ key }) => key?.toString('hex'))),
  }
}

const request = (
  sender: Sender,
  spans: readonly SpanInput[],
  resource: Attributes = [],
): OtlpRequest => ({
  ...sender,
  via: 'otlp_http',
  encoding: 'proto',
  body: otlpRequest({ spans, resource }),
})
const bad: SpanInput = { spanId: Buffer.alloc(8) }
const score = { trace_id: 'ab'.repeat(16), evaluator: 'factuality', score: 0.5 }
const scores = (...list: readonly object[]) => Buffer.from(JSON.stringify(list))

describe('Spans of a sender with a key', () => {
  const claims: Attributes = [
    ['tenant.id', 'globex'],
    ['tenant', 'initech'],
  ]

  test('are its tenant’s, whatever they say of themselves, which stays among their attributes', async () => {
    const { accept, valuesOf } = acceptors()
    const spans = [{ name: 'a', attributes: claims }, { name: 'b' }]
    await accept(request(acme, spans, claims))
    expect(decodeBatches(valuesOf('spans'))).toMatchObject([
      { name: 'a', tenant: 'acme', attributes: Object.fromEntries(claims) },
      {
        name: 'b',
        tenant: 'acme',
        attributes: {},
        resource_attributes: Object.fromEntries(claims),
      },
    ])
  })

  test('leave nothing behind for the requests of others', async () => {
    const { accept, valuesOf } = acceptors()
    await accept(request(acme, [{ name: 'a' }]))
    await accept(request(NOBODY, [{ name: 'b' }, { name: 'c', attributes: claims }]))
    await accept(request({ tenant: 'globex' }, [{ name: 'd' }]))
    expect(decodeBatches(valuesOf('spans')).map(({ name, tenant }) => [name, tenant])).toEqual([
      ['a', 'acme'],
      ['b', ''],
      ['c', 'globex'],
      ['d', 'globex'],
    ])
  })

  test('are its tenant’s as dead letters, too', async () => {
    const { accept, valuesOf } = acceptors()
    await accept(request(acme, [bad], claims))
    const [letter] = valuesOf('dead-letters')
    expect(deadLetters.codec.decode(letter ?? Buffer.alloc(0))).toMatchObject([{ tenant: 'acme' }])
  })

  test('count again where another tenant sends the same bytes, and not where the same does', async () => {
    const { accept, keys } = acceptors()
    for (const tenant of ['acme', 'globex', undefined, 'acme']) {
      await accept(request({ tenant }, [{ name: 'a' }]))
    }
    const [first, second, third, fourth] = keys()
    expect(new Set([first, second, third]).size).toBe(3)
    expect(fourth).toBe(first)
  })
})

describe('Evaluations of a sender with a key', () => {
  test('are its tenant’s, whatever they say, as dead letters, too', async () => {
    const { acceptEvaluations, valuesOf } = acceptors()
    const body = scores({ ...score, tenant: 'globex' }, score, { ...score, score: 7 })
    expect(await acceptEvaluations(body, acme)).toMatchObject({ accepted: 2 })
    const [value] = valuesOf('evaluations')
    expect(evaluations.codec.decode(value ?? Buffer.alloc(0))).toMatchObject([
      { tenant: 'acme' },
      { tenant: 'acme' },
    ])
    const [letter] = valuesOf('dead-letters')
    expect(deadLetters.codec.decode(letter ?? Buffer.alloc(0))).toMatchObject([{ tenant: 'acme' }])
  })

  test('count again where another tenant sends the same bytes', async () => {
    const { acceptEvaluations, keys } = acceptors()
    for (const tenant of ['acme', 'globex', undefined, 'acme']) {
      await acceptEvaluations(scores(score), { tenant })
    }
    const [first, second, third, fourth] = keys()
    expect(new Set([first, second, third]).size).toBe(3)
    expect(fourth).toBe(first)
  })
})

/** A sender with these limits, whose clock stands still. */
function limited(limits: { spans_per_second?: number; bytes_per_second?: number }) {
  const meter = createTenantLimits(() => 0).meterOf([{ name: 'acme', limits }])
  return { meter, sender: { tenant: 'acme', meter } }
}

describe('A sender with limits', () => {
  test('pays for every span, those that are rejected too, and is told when to come again', async () => {
    const { accept, writer } = acceptors()
    const { sender } = limited({ spans_per_second: 2 })
    const sent = request(sender, [{}, {}, bad, {}])
    expect(await accept(sent)).toMatchObject({ type: 'accepted' })
    const writes = writer.writes.length
    expect(await accept(sent)).toMatchObject({ type: 'rate_limited', retryAfterMs: 1_001 })
    expect(writer.writes).toHaveLength(writes)
  })

  test('pays for every evaluation from the same account', async () => {
    const { accept, acceptEvaluations } = acceptors()
    const { sender } = limited({ spans_per_second: 2 })
    const body = scores(score, score, { ...score, score: 7 })
    expect(await acceptEvaluations(body, sender)).toMatchObject({ type: 'accepted' })
    const refusal = { type: 'rate_limited', retryAfterMs: 501 }
    expect(await acceptEvaluations(body, sender)).toMatchObject(refusal)
    expect(await accept(request(sender, [{}]))).toMatchObject(refusal)
  })

  test('pays for bytes that cannot be read', async () => {
    const { accept } = acceptors()
    const { sender } = limited({ bytes_per_second: 1_000 })
    const sent: OtlpRequest = {
      ...sender,
      via: 'otlp_grpc',
      encoding: 'proto',
      body: Buffer.alloc(2_000, '{'),
    }
    expect(await accept(sent)).toMatchObject({ type: 'malformed' })
    expect(await accept(sent)).toMatchObject({ type: 'rate_limited', retryAfterMs: 1_001 })
  })

  test('does not pay for what Kafka did not take', async () => {
    const { accept, acceptEvaluations } = acceptors(() => {
      throw new TransientError('no leader')
    })
    const { meter, sender } = limited({ spans_per_second: 1, bytes_per_second: 1 })
    expect(await accept(request(sender, [{}, {}]))).toMatchObject({ type: 'unavailable' })
    expect(meter.waitMs()).toBe(0)
    const answer = await acceptEvaluations(scores(score, score), sender)
    expect(answer).toMatchObject({ type: 'unavailable' })
    expect(meter.waitMs()).toBe(0)
  })
})

describe('A request over a limit of its own', () => {
  test('of spans is too large as a whole', async () => {
    const strict = transcoder({ maxSpans: 2 })
    const spans = [{}, bad, {}]
    expect(() => strict(otlpRequest({ spans }), RECEIVED_MS)).toThrow('more than 2 spans')
    expect(strict(otlpRequest({ spans: spans.slice(0, 2) }), RECEIVED_MS).spans).toBe(1)
  })

  const long = 'x'.repeat(1_001)
  const one = 'x'.repeat(700)
  test.each<[string, SpanInput, Attributes]>([
    ['attribute', { attributes: [['a', long]] }, []],
    ['key', { attributes: [[long, 1]] }, []],
    ['list', { attributes: [['a', { array: [one, one] }]] }, []],
    ['name', { name: long }, []],
    ['status message', { status: { message: long } }, []],
    ['event', { events: [{ name: 'e', attributes: [['a', long]] }] }, []],
    ['attribute of the resource', {}, [['a', long]]],
  ])(
    'of the length of one %s becomes a dead letter, its neighbours do not',
    async (_, span, resource) => {
      const strict = transcoder({ maxValueBytes: 1_000 })
      const usual: SpanInput = {
        name: 'usual',
        attributes: [
          ['a', one],
          ['b', one],
        ],
      }
      const { rejected } = strict(otlpRequest({ spans: [span], resource }), RECEIVED_MS)
      expect(rejected).toMatchObject([{ index: 0, reason: 'value_too_large' }])
      const { batches } = strict(otlpRequest({ spans: [usual, span] }), RECEIVED_MS)
      expect(decodeBatches(batches)).toMatchObject([
        { name: 'usual' },
        ...(resource.length > 0 ? [{}] : []),
      ])
    },
  )
})
