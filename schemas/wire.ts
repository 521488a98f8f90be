import { isUtf8 } from 'node:buffer'

/**
 * Avro's binary encoding at the level of bytes, for the stages that move spans without making
 * objects of them. Encodings are those of the Avro specification, "Binary encoding".
 */

/** Below this length a loop copies faster than a native call. */
const SHORT_COPY_BYTES = 40
/** Most bytes that a long takes. */
export const MAX_LONG_BYTES = 10
/** Lengths below this take one byte. */
const SHORT_LENGTH = 64
const TWO_32 = 4_294_967_296
const MAX_EXACT_HALF = 2 ** 52
/** A long of as many bytes may fit a double, but not with its sign bit. */
const EXACT_BYTES = 8

/** A long of 0 to 2^63 - 1 as its two unsigned 32-bit halves, for AvroWriter.long64. */
export function halves(value: bigint): { readonly low: number; readonly high: number } {
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) }
}

/** Appends Avro values to a buffer that grows. Reused from batch to batch. */
export class AvroWriter {
  buffer: Buffer
  length = 0

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }

  /** A long (or int, array count, union branch) that is a safe integer. */
  long(value: number): void {
    if (value < -MAX_EXACT_HALF) return this.#hugeNegative(value)
    this.reserve(MAX_LONG_BYTES)
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    const buffer = this.buffer
    let at = this.length
    while (rest >= TWO_32) {
      buffer[at++] = (rest & 0x7f) | 0x80
      rest = Math.floor(rest / 128)
    }
    let small = rest >>> 0
    while (small >= 0x80) {
      buffer[at++] = (small & 0x7f) | 0x80
      small >>>= 7
    }
    buffer[at++] = small
    this.length = at
  }

  /** Twice the value less one is odd, and too large for a double to hold. */
  #hugeNegative(value: number): void {
    this.reserve(MAX_LONG_BYTES)
    let rest = -BigInt(value) * 2n - 1n
    for (; rest >= 0x80n; rest >>= 7n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80
    }
    this.buffer[this.length++] = Number(rest)
  }

  /** A long of 0 to 2^63 - 1, given as its two unsigned 32-bit halves. */
  long64(low: number, high: number): void {
    this.reserve(MAX_LONG_BYTES)
    let lowBits = (low << 1) >>> 0
    let highBits = ((high << 1) | (low >>> 31)) >>> 0
    const buffer = this.buffer
    let at = this.length
    while (highBits !== 0) {
      buffer[at++] = (lowBits & 0x7f) | 0x80
      lowBits = ((lowBits >>> 7) | (highBits << 25)) >>> 0
      highBits >>>= 7
    }
    while (lowBits >= 0x80) {
      buffer[at++] = (lowBits & 0x7f) | 0x80
      lowBits >>>= 7
    }
    buffer[at++] = lowBits
    this.length = at
  }

  double(value: number): void {
    this.reserve(8)
    this.buffer.writeDoubleLE(value, this.length)
    this.length += 8
  }

  boolean(value: boolean): void {
    this.reserve(1)
    this.buffer[this.length++] = value ? 1 : 0
  }

  /** A string given as JavaScript text. */
  string(text: string): void {
    if (text.length < SHORT_COPY_BYTES && this.#shortAscii(text)) return
    const bytes = Buffer.byteLength(text)
    this.long(bytes)
    this.reserve(bytes)
    this.length += this.buffer.write(text, this.length)
  }

  /** Writes the text unless it holds more than ASCII; says whether it did. */
  #shortAscii(text: string): boolean {
    this.reserve(SHORT_COPY_BYTES + 1)
    const { buffer, length } = this
    buffer[length] = text.length << 1
    let seen = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      seen |= code
      buffer[length + 1 + i] = code
    }
    if (seen >= 0x80) return false
    this.length = length + 1 + text.length
    return true
  }

  /** A string given as bytes of another buffer; what is not UTF-8 becomes U+FFFD. */
  stringFrom(source: Buffer, start: number, end: number): void {
    const before = this.length
    this.reserve(end - start + MAX_LONG_BYTES)
    const buffer = this.buffer
    if (end - start < SHORT_LENGTH) buffer[this.length++] = (end - start) << 1
    else this.long(end - start)
    const first = this.length
    let at = first
    let ascii = true
    if (end - start >= SHORT_COPY_BYTES) {
      at += source.copy(buffer, at, start, end)
      ascii = false
    } else {
      let seen = 0
      for (let from = start; from < end; from++) {
        const byte = source[from] ?? 0
        seen |= byte
        buffer[at++] = byte
      }
      ascii = seen < 0x80
    }
    this.length = at
    if (ascii || isUtf8(buffer.subarray(first, at))) return
    this.length = before
    this.string(source.toString('utf8', start, end))
  }

  /** Bytes of another buffer as they stand: values that are Avro already. */
  raw(source: Buffer, start: number, end: number): void {
    const bytes = end - start
    this.reserve(bytes)
    source.copy(this.buffer, this.length, start, end)
    this.length += bytes
  }
}

/** The bytes do not hold the value that was asked for. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** Reads Avro values, or steps over them, from a buffer. Throws WireError at its end. */
export class AvroReader {
  buffer: Buffer
  position: number

  constructor(buffer: Buffer, position = 0) {
    this.buffer = buffer
    this.position = position
  }

  /** A long (or int, count, branch); exact up to 2^53. */
  long(): number {
    const buffer = this.buffer
    let at = this.position
    let byte = buffer[at++] ?? truncated()
    let value = byte & 0x7f
    let shift = 7
    while (byte >= 0x80 && shift < 28) {
      byte = buffer[at++] ?? truncated()
      value |= (byte & 0x7f) << shift
      shift += 7
    }
    let factor = 2 ** shift
    while (byte >= 0x80) {
      byte = buffer[at++] ?? truncated()
      value += (byte & 0x7f) * factor
      factor *= 128
    }
    const bytes = at - this.position
    if (bytes === EXACT_BYTES) return this.#exactLong(at)
    if (bytes > MAX_LONG_BYTES) truncated()
    this.position = at
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #exactLong(end: number): number {
    let value = 0n
    for (let at = end - 1; at >= this.position; at--) {
      value = (value << 7n) | BigInt((this.buffer[at] ?? 0) & 0x7f)
    }
    this.position = end
    return Number(value & 1n ? -(value + 1n) / 2n : value / 2n)
  }

  /** A union of null and long: null, or the long, exact up to 2^53. */
  nullableLong(): number | null {
    return this.long() === 0 ? null : this.long()
  }

  /** A string as text. */
  string(): string {
    const bytes = this.long()
    const start = this.position
    this.skipBytes(bytes)
    return this.buffer.toString('utf8', start, this.position)
  }

  skipLong(): void {
    while ((this.buffer[this.position++] ?? truncated()) >= 0x80);
  }

  skipString(): void {
    const first = this.buffer[this.position] ?? truncated()
    // A length of one byte that is not negative, as nearly all are.
    if (first < 0x80 && (first & 1) === 0) this.skipBytes(1 + (first >> 1))
    else this.skipBytes(this.long())
  }

  skipBytes(bytes: number): void {
    const position = this.position + bytes
    if (bytes < 0 || position > this.buffer.length) truncated()
    this.position = position
  }

  /** Steps over a map of strings. */
  skipStringMap(): void {
    for (let count = this.long(); count !== 0; count = this.long()) {
      if (count < 0) {
        this.#sizedBlock(-count * 2, () => this.skipString())
        continue
      }
      for (let i = 0; i < count * 2; i++) this.skipString()
    }
  }

  /** Steps over an array or a map, with `skipItem` for each of its items. */
  skipBlocks(skipItem: () => void): void {
    for (;;) {
      const count = this.long()
      if (count === 0) return
      if (count < 0) this.#sizedBlock(-count, skipItem)
      else for (let i = 0; i < count; i++) skipItem()
    }
  }

  /**
   * A block that tells its size in bytes, too. It is not taken at its word: whoever decodes the items
   * goes by their number, and by that alone.
   */
  #sizedBlock(count: number, skipItem: () => void): void {
    const bytes = this.long()
    const end = this.position + bytes
    for (let i = 0; i < count; i++) skipItem()
    if (this.position !== end) throw new WireError('a block is not as long as it says')
  }
}

/** The bytes end too soon, or say that they do. */
function truncated(): never {
  throw new WireError('the bytes end within a value')
}
