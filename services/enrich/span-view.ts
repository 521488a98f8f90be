import { schemas } from '#schemas/topics.ts'
import { createLayout } from '#schemas/layout.ts'
import { AvroReader } from '#schemas/wire.ts'

const layout = createLayout(schemas.span)

/** Index of a field of span.avsc. Throws for a name that it does not have. */
export function fieldIndex(name: string): number {
  const index = layout.names.indexOf(name)
  if (index < 0) throw new Error(`a span has no field ${name}`)
  return index
}

/** Index of a field that holds a string. Throws for any other. */
export function stringFieldIndex(name: string): number {
  if (!layout.strings.has(name)) throw new Error(`a span has no field ${name} that is text`)
  return fieldIndex(name)
}

/** Longs of as many bytes are read without the reader. */
const SHORT_LONG_BYTES = 4
const IS_LONG = 2

/** Reads single fields of an encoded span where they stand; written over for each span. */
export class SpanView {
  readonly reader = new AvroReader(Buffer.alloc(0))
  /** Where each field starts. */
  starts = new Uint32Array(layout.names.length)
  start = 0
  end = 0

  /** Takes the span at the reader's position. Throws WireError. */
  next(): void {
    this.start = this.reader.position
    layout.locate(this.reader, this.starts)
    this.end = this.reader.position
  }

  /** A string field as text. */
  text(field: number): string {
    return this.#at(field, (reader) => reader.string())
  }

  /** Whether a string field is empty. */
  isEmpty(field: number): boolean {
    return this.reader.buffer[this.starts[field] ?? 0] === 0
  }

  /** First byte of a string field that is not empty. */
  firstByte(field: number): number {
    return this.reader.buffer[(this.starts[field] ?? 0) + 1] ?? 0
  }

  /** A long; exact up to 2^53. */
  long(field: number): number {
    return this.#at(field, (reader) => reader.long())
  }

  /** A long or null; exact up to 2^53. */
  nullableLong(field: number): number | null {
    const { buffer } = this.reader
    const at = this.starts[field] ?? 0
    if (buffer[at] === 0) return null
    // Nearly all counts are this short, and there are a dozen of them in a span.
    let bits = 0
    for (let i = 0; i < SHORT_LONG_BYTES && buffer[at] === IS_LONG; i++) {
      const byte = buffer[at + 1 + i] ?? 0
      bits |= (byte & 0x7f) << (7 * i)
      if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1)
    }
    return this.#at(field, (reader) => reader.nullableLong())
  }

  /** Strings of an array field. */
  strings(field: number): readonly string[] {
    return this.#at(field, (reader) => {
      const texts: string[] = []
      reader.skipBlocks(() => texts.push(reader.string()))
      return texts
    })
  }

  /** The value of a key in a map field, or the empty text. */
  entry(field: number, key: string): string {
    return this.#at(field, (reader) => {
      let value = ''
      reader.skipBlocks(() => {
        if (reader.string() === key) value = reader.string()
        else reader.skipString()
      })
      return value
    })
  }

  #at<T>(field: number, read: (reader: AvroReader) => T): T {
    const { reader } = this
    const position = reader.position
    reader.position = this.starts[field] ?? 0
    try {
      return read(reader)
    } finally {
      reader.position = position
    }
  }
}

/** The spans of one batch, for what looks at them twice: their fields are found once. */
export class LocatedSpans {
  /** Where each span's fields start; more than there are spans where an earlier batch had more. */
  readonly starts: Uint32Array<ArrayBuffer>[] = []
  readonly #ends: number[] = []

  /** Takes the next `count` spans of a view. Throws WireError. */
  locate(view: SpanView, count: number): void {
    for (let i = 0; i < count; i++) {
      view.starts = this.starts[i] ??= new Uint32Array(layout.names.length)
      view.next()
      this.#ends[i] = view.end
    }
  }

  /** Turns the view to a span. */
  select(view: SpanView, index: number): void {
    const starts = this.starts[index]
    if (starts === undefined) throw new RangeError(`there is no span ${index}`)
    view.starts = starts
    view.start = starts[0] ?? 0
    view.end = this.#ends[index] ?? 0
  }
}
