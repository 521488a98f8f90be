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

/** Reads single fields of an encoded span where they stand; written over for each span. */
export class SpanView {
  readonly reader = new AvroReader(Buffer.alloc(0))
  /** Where each field starts. */
  readonly starts = new Uint32Array(layout.names.length)
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
    return this.#at(field, (reader) => reader.nullableLong())
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
