import { AvroReader, AvroWriter, MAX_LONG_BYTES, WireError } from './wire.ts'

/** Room in front of a batch's items for its header and its count. */
const PREFIX_BYTES = 10 + MAX_LONG_BYTES

/** Writes one batch: a header, then items as one Avro block, whose count is known only at the end. */
export class BatchWriter {
  readonly items = new AvroWriter(65_536)
  count = 0
  readonly #header: Buffer

  constructor(header: Buffer) {
    this.#header = header
    this.items.length = PREFIX_BYTES
  }

  /** Bytes of the items so far. */
  get bytes(): number {
    return this.items.length - PREFIX_BYTES
  }

  /** Forgets the items so far. */
  reset(): void {
    this.items.length = PREFIX_BYTES
    this.count = 0
  }

  /** The batch as a buffer of its own; the writer is empty after it. */
  finish(): Buffer {
    const { items } = this
    const prefix = new AvroWriter(PREFIX_BYTES)
    prefix.raw(this.#header, 0, this.#header.length)
    if (this.count > 0) prefix.long(this.count)
    items.boolean(false)
    const start = PREFIX_BYTES - prefix.length
    prefix.buffer.copy(items.buffer, start, 0, prefix.length)
    const batch = Buffer.from(items.buffer.subarray(start, items.length))
    this.reset()
    return batch
  }
}

/** The one block of a batch's body: how many items, and where their bytes start and end. */
export function readBlock(body: Buffer): { count: number; start: number; end: number } {
  const reader = new AvroReader(body)
  const count = reader.long()
  if (count === 0) return { count: 0, start: reader.position, end: reader.position }
  if (count < 0) throw new WireError('a batch is one block without its size')
  if (body.at(-1) !== 0) throw new WireError('a batch is one block, then a zero')
  return { count, start: reader.position, end: body.length - 1 }
}
