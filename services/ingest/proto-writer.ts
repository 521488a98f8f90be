/** A number as protobuf's 64-bit fields take it; numbers must be whole. */
export type Int64 = number | bigint

const MAX_VARINT_BYTES = 10
// Every UTF-16 unit takes at most three bytes in UTF-8, so up to here a length fits into one byte.
const SHORT_TEXT_UNITS = 42
const ONE_BYTE_LENGTH = 0x7f

/**
 * Writes one protobuf message front to back into a buffer that grows. Nested messages are opened
 * with `begin` and closed with `end`, which moves the content when its length needs more than the
 * one byte kept for it. `position` and `truncate` take back what was written since.
 */
export class ProtoWriter {
  #buffer: Buffer
  #view: DataView
  #position = 0

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(64, expectedBytes))
    this.#view = viewOf(this.#buffer)
  }

  get position(): number {
    return this.#position
  }

  /** Forgets everything behind `position`; no message begun behind it may still be open. */
  truncate(position: number): void {
    this.#position = position
  }

  /** The message so far, without a copy: the writer must not be used afterwards. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#position)
  }

  /** Opens a nested message; the result is handed to `end`. */
  begin(field: number): number {
    this.#tag(field, 2)
    this.#reserve(1)
    this.#position += 1
    return this.#position
  }

  /** Closes the nested message that `begin` opened at `start`. */
  end(start: number): void {
    const length = this.#position - start
    const lengthBytes = varintLength(length)
    if (lengthBytes > 1) {
      this.#reserve(lengthBytes - 1)
      this.#buffer.copyWithin(start + lengthBytes - 1, start, this.#position)
    }
    this.#position = start - 1
    this.#varint(length)
    this.#position += length
  }

  /** A uint32, or any whole number from 0 to 2^53. */
  uint(field: number, value: number): void {
    this.#tag(field, 0)
    this.#reserve(MAX_VARINT_BYTES)
    this.#varint(value)
  }

  /** An int64, int32 or enum: negative numbers take ten bytes. */
  int64(field: number, value: Int64): void {
    this.#tag(field, 0)
    this.#reserve(MAX_VARINT_BYTES)
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.#varint(value)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    while (rest > 0x7fn) {
      this.#buffer[this.#position++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#buffer[this.#position++] = Number(rest)
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0)
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, 5)
    this.#reserve(4)
    this.#view.setUint32(this.#position, value, true)
    this.#position += 4
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1)
    this.#reserve(8)
    this.#view.setBigUint64(this.#position, value, true)
    this.#position += 8
  }

  double(field: number, value: number): void {
    this.#tag(field, 1)
    this.#reserve(8)
    this.#view.setFloat64(this.#position, value, true)
    this.#position += 8
  }

  string(field: number, text: string): void {
    this.#tag(field, 2)
    if (text.length <= SHORT_TEXT_UNITS) {
      this.#reserve(1 + text.length * 3)
      const length = this.#buffer.write(text, this.#position + 1)
      this.#buffer[this.#position] = length
      this.#position += 1 + length
      return
    }
    const length = Buffer.byteLength(text)
    this.#reserve(MAX_VARINT_BYTES + length)
    this.#varint(length)
    this.#position += this.#buffer.write(text, this.#position)
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, 2)
    this.#reserve(MAX_VARINT_BYTES + bytes.length)
    this.#varint(bytes.length)
    this.#buffer.set(bytes, this.#position)
    this.#position += bytes.length
  }

  /** Writes hex digits of either case as bytes; false, with nothing written, if they are not that. */
  hex(field: number, digits: string): boolean {
    if (digits.length % 2 !== 0) return false
    const start = this.#position
    const length = digits.length / 2
    this.#tag(field, 2)
    this.#reserve(MAX_VARINT_BYTES + length)
    this.#varint(length)
    // Node stops at the first character that is no hex digit, and says how far it came.
    const written = this.#buffer.write(digits, this.#position, 'hex')
    this.#position += written
    if (written === length) return true
    this.#position = start
    return false
  }

  #tag(field: number, wireType: number): void {
    this.#reserve(MAX_VARINT_BYTES)
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    let rest = value
    while (rest > ONE_BYTE_LENGTH) {
      this.#buffer[this.#position++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#position++] = rest
  }

  #reserve(bytes: number): void {
    const needed = this.#position + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#position)
    this.#buffer = grown
    this.#view = viewOf(grown)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function varintLength(value: number): number {
  let bytes = 1
  for (let rest = value; rest > ONE_BYTE_LENGTH; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}
