/**
 * Reads protobuf at the level of bytes. Wire types and field numbers are those of
 * https://protobuf.dev/programming-guides/encoding and of opentelemetry-proto 1.11.
 */

/** The bytes are not the protobuf message that they should be. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError'
}

export const WIRE_VARINT = 0
export const WIRE_FIXED64 = 1
export const WIRE_BYTES = 2
export const WIRE_FIXED32 = 5

/** A cursor over one buffer; nested messages are ranges of the same buffer. */
export class ProtoReader {
  readonly buffer: Buffer
  position = 0
  /** Field number and wire type that `tag` read last. */
  field = 0
  wire = 0
  /** Range that `bytes` read last. */
  start = 0
  end = 0
  /** Halves that `varint64` and `fixed64` read last. */
  low = 0
  high = 0

  constructor(buffer: Buffer) {
    this.buffer = buffer
  }

  /** Reads a tag into `field` and `wire`; false at `end`. */
  tag(end: number): boolean {
    if (this.position >= end) {
      if (this.position > end) throw new ProtoError('a field runs past the end of its message')
      return false
    }
    const tag = this.uint32()
    this.field = tag >>> 3
    this.wire = tag & 7
    if (this.field === 0) throw new ProtoError('field number 0')
    return true
  }

  /** A varint of which the low 32 bits matter. */
  uint32(): number {
    const first = this.buffer[this.position]
    if (first !== undefined && first < 0x80) {
      this.position++
      return first
    }
    this.varint64()
    return this.low
  }

  /** A varint of up to 64 bits, into `low` and `high`. */
  varint64(): void {
    const buffer = this.buffer
    let low = 0
    let high = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = buffer[this.position++]
      if (byte === undefined) throw new ProtoError('the message ends within a number')
      const bits = byte & 0x7f
      if (shift < 28) low |= bits << shift
      else if (shift === 28) {
        low |= bits << 28
        high |= bits >>> 4
      } else high |= bits << (shift - 32)
      if (byte < 0x80) {
        this.low = low >>> 0
        this.high = high >>> 0
        return
      }
    }
    throw new ProtoError('a number is longer than ten bytes')
  }

  /** Eight bytes, little-endian, into `low` and `high`. */
  fixed64(): void {
    if (this.position + 8 > this.buffer.length)
      throw new ProtoError('the message ends within a number')
    this.low = this.buffer.readUInt32LE(this.position)
    this.high = this.buffer.readUInt32LE(this.position + 4)
    this.position += 8
  }

  /** A length and as many bytes, into `start` and `end`. */
  bytes(limit: number): void {
    if (this.wire !== WIRE_BYTES)
      throw new ProtoError(`field ${this.field} has the wrong wire type`)
    const length = this.#length()
    this.start = this.position
    this.end = this.position + length
    if (this.end > limit) throw new ProtoError('the message ends within a field')
    this.position = this.end
  }

  #length(): number {
    const first = this.buffer[this.position]
    if (first !== undefined && first < 0x80) {
      this.position++
      return first
    }
    this.varint64()
    if (this.high !== 0) throw new ProtoError('a length of more than 32 bits')
    return this.low
  }

  /** Throws unless the tag just read has this wire type. */
  expect(wire: number): void {
    if (this.wire !== wire) throw new ProtoError(`field ${this.field} has the wrong wire type`)
  }

  /** Steps over the value of the tag just read. */
  skip(limit: number): void {
    if (this.wire === WIRE_VARINT) this.varint64()
    else if (this.wire === WIRE_FIXED64) this.position += 8
    else if (this.wire === WIRE_BYTES) this.bytes(limit)
    else if (this.wire === WIRE_FIXED32) this.position += 4
    else throw new ProtoError(`field ${this.field} has an unknown wire type`)
    if (this.position > limit) throw new ProtoError('the message ends within a field')
  }
}

const TWO_32 = 4_294_967_296

/** The signed 64-bit integer of two halves, as decimal text where a double cannot hold it. */
export function int64(low: number, high: number): number | string {
  const signedHigh = high | 0
  const value = signedHigh * TWO_32 + low
  if (Number.isSafeInteger(value)) return value
  return ((BigInt(signedHigh) << 32n) | BigInt(low)).toString()
}
