import { z } from 'zod'
import { parseYaml, requireShape } from '#runtime/yaml.ts'

/** Kinds of step that span.avsc tells. */
const kind = z.enum([
  'llm',
  'embedding',
  'retrieval',
  'rerank',
  'routing',
  'tool',
  'agent',
  'workflow',
  'guardrail',
  'evaluator',
  'http',
  'other',
])

const texts = z.array(z.string().min(1)).min(1)

/** What must be true of a span: of one attribute, field or name, that it is, begins with or holds something. */
const condition = z
  .strictObject({
    attribute: z.string().optional(),
    resource: z.string().optional(),
    field: z.string().optional(),
    scope: z.string().optional(),
    is: texts.optional(),
    prefix: z.string().optional(),
    contains: z.string().optional(),
    version: z.string().optional(),
  })
  .refine(
    ({ attribute, resource, field, scope }) =>
      [attribute, resource, field, scope].filter((text) => text !== undefined).length === 1,
    'a condition is about one of attribute, resource, field and scope',
  )
const conditions = z.union([condition.transform((one) => [one]), z.array(condition).min(1)])

/** A source that is only an attribute may be written as its key alone. */
const source = z.preprocess(
  (value) => (typeof value === 'string' ? { attribute: value } : value),
  z
    .strictObject({
      attribute: z.string().min(1).optional(),
      resource: z.string().min(1).optional(),
      event: z.string().min(1).optional(),
      unit: z.enum(['ns', 'us', 'ms', 's', 'usd']).optional(),
      path: texts.optional(),
      sum: z.string().min(1).optional(),
      moment: z.literal('iso8601').optional(),
      values: z.record(z.string(), z.string()).optional(),
      when: conditions.optional(),
    })
    .refine(
      ({ attribute, resource, event }) =>
        [attribute, resource, event].filter((text) => text !== undefined).length === 1,
      'a source is one of attribute, resource and event',
    )
    .refine(
      ({ attribute, path, sum, moment, values, when }) =>
        attribute !== undefined || [path, sum, moment, values, when].every((x) => x === undefined),
      'path, sum, moment, values and when are for attributes',
    ),
)

const share = z.enum(['cache_read', 'cache_write', 'audio', 'image', 'reasoning'])

const accountingRule = z.strictObject({
  rule: z.string().min(1),
  when: conditions.default([]),
  input_excludes: z.array(share.exclude(['reasoning'])).default([]),
  output_excludes: z.array(share.extract(['reasoning', 'audio', 'image'])).default([]),
})

const kinds = z
  .strictObject({
    precedence: z.number().optional(),
    by_value: z
      .array(
        z
          .strictObject({
            attribute: z.string().optional(),
            span: z.literal('name').optional(),
            kinds: z.partialRecord(kind, texts),
          })
          .refine(
            ({ attribute, span }) => (attribute === undefined) !== (span === undefined),
            'a kind is told by an attribute, or by the span’s name',
          ),
      )
      .default([]),
    by_presence: z.array(z.strictObject({ attribute: z.string(), kind })).default([]),
  })
  .default({ by_value: [], by_presence: [] })

const dialectFile = z.strictObject({
  name: z.string().min(1),
  precedence: z.number().default(0),
  fields: z.record(z.string(), z.array(source)).default({}),
  attributes: z.record(z.string(), texts).default({}),
  content: z.array(z.string()).default([]),
  content_prefixes: z.array(z.string().min(1)).default([]),
  content_events: z.array(z.string()).default([]),
  kinds,
  accounting: z.array(accountingRule).default([]),
})

/** One family's conventions, see docs/dialects.md. */
export type DialectFile = z.output<typeof dialectFile>
export type Source = z.output<typeof source>
export type ConditionFile = z.output<typeof condition>

/** Parses one file. Throws an Error that names the file and every place that is wrong. */
export function parseDialect(text: string, file: string): DialectFile {
  return requireShape(dialectFile, parseYaml(text, file), `${file} is not a dialect file`)
}
