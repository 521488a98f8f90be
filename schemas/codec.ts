import avro from 'avsc'
import { readBlock } from './batch.ts'
import { createLayout, type RecordLayout } from './layout.ts'
import { AvroReader, WireError } from './wire.ts'

/**
 * A batch is one Kafka record's value: the Avro single-object header (C3 01 and the little-endian
 * 64-bit Rabin fingerprint of the item's schema, Avro specification "Single-object encoding"), then
 * an Avro array of items, always written as one block.
 */
export interface Codec<T> {
  /** Fingerprint of the newest schema, 16 hexadecimal digits as they stand in the header. */
  readonly fingerprint: string
  encode(items: readonly T[]): Buffer
  /** Decodes a batch of any known version into the newest. Throws BatchError for anything else. */
  decode(batch: Buffer): T[]
  /** The schema (JSON) behind a fingerprint, or undefined if it is not known. */
  schemaOf(fingerprint: string): string | undefined
}

/** The bytes are not a batch, or of a schema that is not known. */
export class BatchError extends Error {
  override readonly name = 'BatchError'
}

/** Avro schema in its JSON form. */
export type SchemaJson = Readonly<Record<string, unknown>>

const HEADER_BYTES = 10
const MAGIC_0 = 0xc3
const MAGIC_1 = 0x01

/** Makes the codec of a schema; `older` are the versions that may still lie in topics. */
export function createCodec<T>(newest: SchemaJson, older: readonly SchemaJson[] = []): Codec<T> {
  const type = parseType(newest)
  const items = arrayOf(type)
  const fingerprint = fingerprintOf(type)
  const versions = new Map(
    [newest, ...older].map((schema) => {
      const written = parseType(schema)
      const resolver = schema === newest ? undefined : items.createResolver(arrayOf(written))
      return [fingerprintOf(written), { schema, resolver, layout: createLayout(schema) }] as const
    }),
  )
  const header = batchHeader(fingerprint)
  return {
    fingerprint,
    encode: (values) => Buffer.concat([header, items.toBuffer(values)]),
    decode(batch) {
      const written = batchFingerprint(batch)
      const version = versions.get(written)
      if (version === undefined) {
        throw new BatchError(`schema with fingerprint ${written} is not known`)
      }
      try {
        const body = batchBody(batch)
        requireWhole(version.layout, body)
        const decoded: T[] = items.fromBuffer(body, version.resolver)
        return decoded
      } catch (cause) {
        throw new BatchError('the batch does not hold what its schema says', { cause })
      }
    },
    schemaOf(written) {
      const version = versions.get(written)
      return version === undefined ? undefined : JSON.stringify(version.schema)
    },
  }
}

/** The ten bytes in front of a batch. */
export function batchHeader(fingerprint: string): Buffer {
  return Buffer.concat([Buffer.from([MAGIC_0, MAGIC_1]), Buffer.from(fingerprint, 'hex')])
}

/** The fingerprint in a batch's header. Throws BatchError if there is none. */
export function batchFingerprint(batch: Buffer): string {
  if (batch.length <= HEADER_BYTES || batch[0] !== MAGIC_0 || batch[1] !== MAGIC_1) {
    throw new BatchError('no Avro single-object header')
  }
  return batch.toString('hex', 2, HEADER_BYTES)
}

/** A batch of an older schema as one of the newest. Throws BatchError for what is no batch. */
export function newestBatch<T>(codec: Codec<T>, batch: Buffer): Buffer {
  return batchFingerprint(batch) === codec.fingerprint ? batch : codec.encode(codec.decode(batch))
}

/** The bytes after the header. */
export function batchBody(batch: Buffer): Buffer {
  return batch.subarray(HEADER_BYTES)
}

/**
 * Steps over all items first: avsc itself reads zeros beyond the end of the bytes, as often as a broken
 * count says.
 */
function requireWhole(layout: RecordLayout, body: Buffer): void {
  const { count, start, end } = readBlock(body)
  const reader = new AvroReader(body, start)
  const starts = new Uint32Array(layout.names.length)
  for (let i = 0; i < count; i++) layout.locate(reader, starts)
  if (reader.position !== end) throw new WireError('a batch is as long as its items')
}

/** Longs are bigint: nanoseconds and pico-USD do not fit a double. */
const longType = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(value)
    return bytes
  },
  fromJSON: (value: number | bigint) => BigInt(value),
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1),
})

function parseType(schema: SchemaJson): avro.Type {
  const copy: avro.Schema = JSON.parse(JSON.stringify(schema))
  return avro.Type.forSchema(copy, { registry: { long: longType }, noAnonymousTypes: false })
}

function arrayOf(type: avro.Type): avro.Type {
  return avro.Type.forSchema({ type: 'array', items: type })
}

/** CRC-64-AVRO of the schema's parsing canonical form (Avro specification "Schema Fingerprints"). */
function fingerprintOf(type: avro.Type): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(rabin(Buffer.from(JSON.stringify(type.schema()))))
  return bytes.toString('hex')
}

const RABIN_EMPTY = 0xc15d213aa4d7a795n

/** The 64-bit Rabin fingerprint of some bytes, as the Avro specification defines it. */
export function rabin(bytes: Buffer): bigint {
  let fingerprint = RABIN_EMPTY
  for (const byte of bytes) {
    fingerprint ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) {
      fingerprint = (fingerprint >> 1n) ^ (fingerprint & 1n ? RABIN_EMPTY : 0n)
    }
  }
  return fingerprint
}
