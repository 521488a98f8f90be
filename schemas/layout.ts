import { type AvroReader, WireError } from './wire.ts'

/** Steps over one value of a type. */
export type Skip = (reader: AvroReader) => void

/** Finds the fields of a record's encoding without decoding them. */
export interface RecordLayout {
  readonly names: readonly string[]
  /** Names of the fields that hold a string and nothing else. */
  readonly strings: ReadonlySet<string>
  /** Steps over one record and notes where each field starts; the reader then stands behind it. */
  locate(reader: AvroReader, starts: Uint32Array): void
}

const STRING = 0
const LONG = 1
const NULLABLE_LONG = 2
const MAP = 3
const OTHER = 4

/** Makes the layout of a record schema. Throws for types that are not used here. */
export function createLayout(schema: unknown): RecordLayout {
  const fields = fieldsOf(schema)
  const skips = fields.map(({ type }) => skipOf(type))
  const shapes = Uint8Array.from(fields, ({ type }) => shapeOf(type))
  return {
    names: fields.map(({ name }) => name),
    strings: new Set(fields.filter(({ type }) => type === 'string').map(({ name }) => name)),
    // The shapes that nearly all fields have are stepped over here: a call for each costs more than the step.
    locate(reader, starts) {
      const { buffer } = reader
      for (let i = 0; i < shapes.length; i++) {
        const at = reader.position
        starts[i] = at
        const shape = shapes[i]
        if (shape === STRING) reader.skipString()
        else if (shape === LONG) reader.skipLong()
        else if (shape === NULLABLE_LONG && buffer[at] === 0) reader.position = at + 1
        else if (shape === MAP) reader.skipStringMap()
        else skips[i]?.(reader)
      }
    },
  }
}

function shapeOf(type: unknown): number {
  if (type === 'string') return STRING
  if (type === 'long') return LONG
  if (Array.isArray(type) && type[1] === 'long') return NULLABLE_LONG
  return isObject(type) && type['type'] === 'map' && type['values'] === 'string' ? MAP : OTHER
}

function skipOf(type: unknown): Skip {
  if (type === 'string' || type === 'bytes') return (reader) => reader.skipString()
  if (type === 'long' || type === 'int') return (reader) => reader.skipLong()
  if (type === 'boolean') return (reader) => reader.skipBytes(1)
  if (type === 'double') return (reader) => reader.skipBytes(8)
  if (Array.isArray(type) && type[0] === 'null' && type.length === 2) {
    const skip = skipOf(type[1])
    return (reader) => {
      const branch = reader.long()
      if (branch === 1) skip(reader)
      else if (branch !== 0) throw new WireError(`a union of two has no branch ${branch}`)
    }
  }
  return skipOfComplex(type)
}

function skipOfComplex(type: unknown): Skip {
  if (isObject(type) && type['type'] === 'map') {
    const skip = skipOf(type['values'])
    return (reader) =>
      reader.skipBlocks(() => {
        reader.skipString()
        skip(reader)
      })
  }
  if (isObject(type) && type['type'] === 'array') {
    const skip = skipOf(type['items'])
    return (reader) => reader.skipBlocks(() => skip(reader))
  }
  if (isObject(type) && type['type'] === 'record') {
    const skips = fieldsOf(type).map((field) => skipOf(field.type))
    return (reader) => {
      for (const skip of skips) skip(reader)
    }
  }
  throw new Error(`no layout for the Avro type ${JSON.stringify(type)}`)
}

function fieldsOf(schema: unknown): readonly { name: string; type: unknown }[] {
  if (!isObject(schema) || !Array.isArray(schema['fields'])) throw new Error('not a record schema')
  return schema['fields'].filter(isObject).map(({ name, type }) => ({ name: String(name), type }))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
