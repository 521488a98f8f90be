import { ProtoReader } from '../services/ingest/otlp-reader.ts'
import { makeRecords } from './records.ts'

/** Makes OTLP requests that differ in their ids and times alone, so that making one costs little. */
export interface RequestMaker {
  readonly spansPerRequest: number
  /** Mean size of a request. */
  readonly bytes: number
  /**
   * The request of this number, whose calls have ended by `atMs`. The same number and time make the same bytes; the
   * number is the first eight digits of all its trace ids.
   */
  make(number: number, atMs: number): Buffer
}

interface Template {
  readonly body: Buffer
  readonly traceIds: readonly number[]
  /** Offsets of start and end times, and what they say. */
  readonly times: readonly (readonly [offset: number, nano: bigint])[]
  readonly lastNano: bigint
}

/** Requests that are made in full; all others are copies of them. */
const TEMPLATES = 64
const MAX_NUMBER = 2 ** 32 - 1
const NANO_PER_MS = 1_000_000n
/** Fields of opentelemetry-proto: of the request, of a resource's spans, of a scope's spans. */
const PATH_TO_SPANS = [1, 2, 2] as const
const TRACE_ID = 1
const START_TIME = 7
const END_TIME = 8

/** Makes the templates, of which each has spans, tenants and models of its own. */
export function createRequestMaker(spansPerRequest: number, seed: number): RequestMaker {
  const spans = TEMPLATES * spansPerRequest
  const records = makeRecords({ spans, spansPerRecord: spansPerRequest, seed, firstStartMs: 0 })
  const templates = [...records].map(toTemplate)
  const bytes = templates.reduce((sum, { body }) => sum + body.length, 0) / templates.length
  return {
    spansPerRequest,
    bytes,
    make(number, atMs) {
      const template = templates[number % templates.length]
      if (template === undefined || number > MAX_NUMBER) throw new RangeError(`request ${number}`)
      return stamp(template, number, atMs)
    },
  }
}

/** How the number of a request stands in its trace ids. */
export function numberText(number: number): string {
  return number.toString(16).padStart(8, '0')
}

function stamp({ body, traceIds, times, lastNano }: Template, number: number, atMs: number) {
  const copy = Buffer.from(body)
  const shift = BigInt(atMs) * NANO_PER_MS - lastNano
  for (const offset of traceIds) copy.writeUInt32BE(number, offset)
  for (const [offset, nano] of times) copy.writeBigUInt64LE(nano + shift, offset)
  return copy
}

function toTemplate(bytes: Uint8Array): Template {
  const body = Buffer.from(bytes)
  const spans = [...ranges(body, 0, body.length, PATH_TO_SPANS)]
  const traceIds: number[] = []
  const times: (readonly [number, bigint])[] = []
  for (const [start, end] of spans) {
    for (const { field, at } of fields(body, start, end)) {
      if (field === TRACE_ID) traceIds.push(at)
      if (field === START_TIME || field === END_TIME) times.push([at, body.readBigUInt64LE(at)])
    }
  }
  const lastNano = times.reduce((last, [, nano]) => (nano > last ? nano : last), 0n)
  return { body, traceIds, times, lastNano }
}

/** Where the messages lie that a path of fields leads to. */
function* ranges(
  body: Buffer,
  start: number,
  end: number,
  [field, ...rest]: readonly number[],
): Generator<readonly [start: number, end: number]> {
  if (field === undefined) {
    yield [start, end]
    return
  }
  for (const found of fields(body, start, end)) {
    if (found.field === field) yield* ranges(body, found.at, found.end, rest)
  }
}

/** The fields of a message, and where their values lie. */
function* fields(body: Buffer, start: number, end: number) {
  const reader = new ProtoReader(body)
  reader.position = start
  while (reader.tag(end)) {
    const { field, wire, position } = reader
    if (wire === 2) {
      reader.bytes(end)
      yield { field, at: reader.start, end: reader.end }
    } else {
      reader.skip(end)
      yield { field, at: position, end: reader.position }
    }
  }
}
