import { z } from 'zod'
import { createLayout, type RecordLayout } from '#schemas/layout.ts'
import { schemas } from '#schemas/topics.ts'
import { AvroReader } from '#schemas/wire.ts'

const STRINGS = 0
const LONG = 1
const NULLABLE_LONG = 2
const MAP = 3
const OTHER = 4
const ODD = 5
/** Types that are stepped over here; others are left to their layouts. */
const SHAPES: ReadonlyMap<string, number> = new Map([
  ['"string"', STRINGS],
  ['"long"', LONG],
  ['["null","long"]', NULLABLE_LONG],
  ['{"type":"map","values":"string"}', MAP],
])

/** Others that are one byte where it is zero: an empty array, a null, a false. */
const EMPTY_IS_ZERO = /^(?:"boolean"|\["null",|\{"type":"array")/

const { fields } = z
  .object({ fields: z.array(z.object({ name: z.string(), type: z.unknown() })) })
  .parse(schemas.enrichedSpan)

/** What is stepped over at once: a field, or strings side by side that nobody asks for. */
interface Step {
  readonly field: number
  readonly shape: number
  count: number
  readonly layout: RecordLayout
}

/**
 * Finds fields of spans whose bytes were found whole before, in half the time of a layout: it neither
 * looks for the end of the bytes, nor notes where every string starts.
 */
export class SpanWalk {
  readonly #shapes: Uint8Array
  readonly #counts: Uint8Array
  readonly #fields: Uint8Array
  readonly #layouts: readonly RecordLayout[]
  readonly #reader = new AvroReader(Buffer.alloc(0))
  readonly #ignored = new Uint32Array(1)

  /** `asked` are the strings whose places are asked for; those of other fields are always told. */
  constructor(asked: ReadonlySet<number>) {
    const steps = stepsOf(asked)
    this.#shapes = Uint8Array.from(steps, ({ shape }) => shape)
    this.#counts = Uint8Array.from(steps, ({ count }) => count)
    this.#fields = Uint8Array.from(steps, ({ field }) => field)
    this.#layouts = steps.map(({ layout }) => layout)
  }

  /** Notes where fields of the span at `from` start; gives where the next one does. */
  locate(buffer: Buffer, from: number, starts: Uint32Array): number {
    const shapes = this.#shapes
    const counts = this.#counts
    const numbers = this.#fields
    let at = from
    for (let step = 0; step < shapes.length; step++) {
      starts[numbers[step] ?? 0] = at
      const shape = shapes[step]
      const first = buffer[at] ?? 0
      if (shape === STRINGS) at = this.#skipStrings(buffer, at, counts[step] ?? 0)
      else if (first === 0 && shape !== ODD) at++
      else if (shape === LONG) at = skipLong(buffer, at)
      else if (shape === NULLABLE_LONG) at = skipLong(buffer, at + 1)
      else at = this.#skipOther(buffer, at, step)
    }
    return at
  }

  #skipStrings(buffer: Buffer, from: number, count: number): number {
    let at = from
    for (let left = count; left > 0; left--) {
      const length = buffer[at] ?? 0
      // A length of one byte, as nearly all are.
      if (length < 0x80) at += 1 + (length >> 1)
      else at = this.#skipLongString(buffer, at)
    }
    return at
  }

  #skipLongString(buffer: Buffer, at: number): number {
    const reader = this.#reader
    reader.buffer = buffer
    reader.position = at
    reader.skipString()
    return reader.position
  }

  #skipOther(buffer: Buffer, at: number, step: number): number {
    const first = buffer[at] ?? 0
    // A map of one block, whose count is a byte; twice the count are the strings that it holds.
    if (this.#shapes[step] === MAP && first < 0x80 && (first & 1) === 0) {
      const end = this.#skipStrings(buffer, at + 1, first)
      if (buffer[end] === 0) return end + 1
    }
    const reader = this.#reader
    reader.buffer = buffer
    reader.position = at
    this.#layouts[step]?.locate(reader, this.#ignored)
    return reader.position
  }
}

function skipLong(buffer: Buffer, from: number): number {
  let at = from
  while ((buffer[at++] ?? 0) >= 0x80);
  return at
}

function shapeOf(type: string): number {
  return SHAPES.get(type) ?? (EMPTY_IS_ZERO.test(type) ? OTHER : ODD)
}

function stepsOf(asked: ReadonlySet<number>): readonly Step[] {
  const steps: Step[] = []
  for (const [field, { name, type }] of fields.entries()) {
    const shape = shapeOf(JSON.stringify(type))
    const last = steps.at(-1)
    if (last?.shape === STRINGS && shape === STRINGS && !asked.has(field)) last.count++
    else {
      const layout = createLayout({ type: 'record', name: 'Field', fields: [{ name, type }] })
      steps.push({ field, shape, count: 1, layout })
    }
  }
  return steps
}
