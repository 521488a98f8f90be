import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseWorkload } from '../../../services/cli/replay/csv.ts'
import { makeRequests, outlineWorkload } from '../../../services/cli/replay/otlp.ts'

const file = new URL(
  '../../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)
const rows = parseWorkload(readFileSync(file, 'utf8'), 'sample').slice(0, 2000)
const options = { seed: 1, shiftNs: 0n }
const requests = [...makeRequests(rows, options)]

type Field = { readonly number: number; readonly value: bigint; readonly bytes: Uint8Array }

/** Reads one protobuf message without its schema; `bytes` is empty for numbers. */
function readFields(message: Uint8Array): readonly Field[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const fields: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    const wire = tag & 7
    const number = tag >> 3
    const none = new Uint8Array()
    if (wire === 0) fields.push({ number, value: varint(), bytes: none })
    else if (wire === 2) {
      const size = Number(varint())
      fields.push({ number, value: 0n, bytes: message.subarray(at, at + size) })
      at += size
    } else {
      const value = wire === 1 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true))
      fields.push({ number, value, bytes: none })
      at += wire === 1 ? 8 : 4
    }
  }
  return fields
}

const children = (message: Uint8Array, number: number) =>
  readFields(message)
    .filter((field) => field.number === number)
    .map(({ bytes }) => bytes)
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')

/** A whole-number attribute of an encoded span. */
function intAttribute(span: Uint8Array, key: string): number | undefined {
  const found = children(span, 9).find((pair) => text(children(pair, 1)[0]) === key)
  const value = found && readFields(children(found, 2)[0] ?? new Uint8Array())[0]?.value
  return value === undefined ? undefined : Number(value)
}

const decodeSpans = (body: Uint8Array) =>
  children(body, 1).flatMap((resource) =>
    children(resource, 2).flatMap((scope) => children(scope, 2)),
  )

/** A hash of all bytes that the first rows become. */
const digest = (seed: number, shiftNs: bigint) => {
  const hash = createHash('sha256')
  for (const { body } of makeRequests(rows.slice(0, 300), { seed, shiftNs })) hash.update(body)
  return hash.digest('hex')
}

describe('makeRequests', () => {
  it('makes the same bytes for the same workload, seed and times, and others otherwise', () => {
    expect(digest(1, 0n)).toBe(digest(1, 0n))
    expect(new Set([digest(1, 0n), digest(2, 0n), digest(1, 100n)]).size).toBe(3)
  })

  it('writes spans that decode to what was planned', () => {
    for (const { body, specs } of requests.slice(0, 200)) {
      const spans = decodeSpans(body)
      expect(spans).toHaveLength(specs.length)
      for (const [index, spec] of specs.entries()) {
        const span = spans[index] ?? new Uint8Array()
        const number = (field: number) => readFields(span).find((f) => f.number === field)?.value
        expect(hex(children(span, 1)[0])).toBe(spec.traceId)
        expect(hex(children(span, 2)[0])).toBe(spec.spanId)
        expect(hex(children(span, 4)[0])).toBe(spec.parentSpanId ?? '')
        expect(text(children(span, 5)[0])).toBe(spec.name)
        expect([number(7), number(8)]).toEqual([spec.startNs, spec.endNs])
        expect(children(span, 9)).toHaveLength(Object.keys(spec.attributes).length)
        const names = children(span, 11).map((event) => text(children(event, 2)[0]))
        const exceptions = spec.error ? ['exception'] : []
        expect(names).toEqual([...exceptions, ...spec.events.map(({ name }) => name)])
      }
    }
  })

  it('carries in its bytes every token of the workload but those of failed calls', () => {
    const sum = { input: 0, output: 0, failedInput: 0, failedOutput: 0 }
    for (const { body, specs } of requests) {
      for (const span of decodeSpans(body)) {
        sum.input += intAttribute(span, 'gen_ai.usage.input_tokens') ?? 0
        sum.output += intAttribute(span, 'gen_ai.usage.output_tokens') ?? 0
      }
      for (const { call } of specs.filter((spec) => spec.call?.errorType !== undefined)) {
        sum.failedInput += call?.inputTokens ?? 0
        sum.failedOutput += call?.outputTokens ?? 0
      }
    }
    expect(sum.failedInput).toBeGreaterThan(0)
    expect(sum.input + sum.failedInput).toBe(rows.reduce((n, row) => n + row.inputTokens, 0))
    expect(sum.output + sum.failedOutput).toBe(rows.reduce((n, row) => n + row.outputTokens, 0))
  })

  it('sends each span once, in order, after its end and within an interval of 5 s', () => {
    const ids = requests.flatMap(({ specs }) =>
      specs.map(({ traceId, spanId }) => traceId + spanId),
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(outlineWorkload(rows, 1).spans)
    for (const [index, { sendTimeMs, specs }] of requests.entries()) {
      expect(sendTimeMs).toBeGreaterThanOrEqual(requests[index - 1]?.sendTimeMs ?? 0)
      for (const { endNs } of specs) {
        const waitMs = sendTimeMs - Number(endNs / 1_000_000n)
        expect(waitMs >= 0 && waitMs <= 5001).toBe(true)
      }
    }
  })

  it('sends the spans of one service in one environment, of several traces together', () => {
    for (const { body, specs } of requests) {
      expect(children(body, 1)).toHaveLength(1)
      expect(new Set(specs.map((span) => `${span.service} ${span.environment}`)).size).toBe(1)
    }
    const traces = requests.map(({ specs }) => new Set(specs.map((span) => span.traceId)).size)
    expect(Math.max(...traces)).toBeGreaterThan(10)
  })

  it('splits what ends within an interval into requests of 512 spans', () => {
    const [first] = rows
    if (!first) throw new Error('the sample is too short')
    const burst = Array.from({ length: 1000 }, () => first)
    const sizes = [...makeRequests(burst, options)].map(({ spans }) => spans)
    expect(Math.max(...sizes)).toBe(512)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(outlineWorkload(burst, 1).spans)
  })
})

describe('outlineWorkload', () => {
  it('foretells the number of spans and the end of the last one', () => {
    const ends = requests.flatMap(({ specs }) => specs.map(({ endNs }) => endNs))
    const lastEndNs = ends.reduce((last, end) => (end > last ? end : last))
    expect(outlineWorkload(rows, 1)).toEqual({
      traces: rows.length,
      spans: ends.length,
      firstRequestNs: rows[0]?.timeNs,
      lastEndNs,
    })
  })
})
