import { z } from 'zod'
import { schemas } from '#schemas/topics.ts'

/** What a mapped field of a span holds; the same words as in span.avsc. */
export type FieldType = 'string' | 'long' | 'double' | 'boolean'

/** A field of span.avsc that attributes may fill. */
export interface Field {
  readonly name: string
  readonly type: FieldType
}

/** Fields that OTLP itself or the accounting fills, whatever the attributes say. */
const OWN_FIELDS = new Set([
  'kind',
  'status',
  'error_type',
  'trace_id',
  'span_id',
  'parent_span_id',
  'name',
  'span_kind',
  'status_message',
  'scope_name',
  'scope_version',
  'trace_state',
  'usage_rule',
  'flags',
])

/** Names of the fields that count what is paid for. */
export const COUNT = /^(?!max_).*_tokens$|^web_searches$/

/** What is read of attributes only to work the fields out. */
export const PSEUDO_FIELDS: readonly Field[] = [
  { name: 'error_code', type: 'string' },
  { name: 'http_status', type: 'long' },
  { name: 'cache_write_tokens', type: 'long' },
  { name: 'total_tokens', type: 'long' },
]

const avroFields = z.object({ fields: z.array(z.object({ name: z.string(), type: z.unknown() })) })

/** The fields of span.avsc that attributes may fill, in its order, and those that accounting reads. */
export function mappableFields(): readonly Field[] {
  const fields = avroFields.parse(schemas.span).fields.flatMap(({ name, type }) => {
    const known = fieldType(type)
    return known === undefined || OWN_FIELDS.has(name) ? [] : [{ name, type: known }]
  })
  return [...fields, ...PSEUDO_FIELDS]
}

function fieldType(type: unknown): FieldType | undefined {
  if (type === 'string') return 'string'
  if (!Array.isArray(type) || type[0] !== 'null') return undefined
  return (['long', 'double', 'boolean'] as const).find((candidate) => candidate === type[1])
}
