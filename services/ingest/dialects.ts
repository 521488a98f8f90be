import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseYaml } from '#runtime/yaml.ts'
import { schemas } from '#schemas/topics.ts'
import { createKeyTable, type KeyTable } from './key-table.ts'

/** What a mapped field of a span holds; the same words as in span.avsc. */
export type FieldType = 'string' | 'long' | 'double' | 'boolean'

/** A field of span.avsc that attributes may fill. */
export interface Field {
  readonly name: string
  readonly type: FieldType
}

/** What an attribute's key means. */
export interface KeyMeaning {
  /** Index of the field that it fills, or -1. */
  readonly field: number
  /** Place among that field's sources: the lowest wins. */
  readonly rank: number
  /** Multiplier from the attribute's unit to the field's. */
  readonly factor: number
  /** Whether it holds content, which is dropped with the prompt. */
  readonly isContent: boolean
  /** Place among the attributes that tell the kind of step, or -1. */
  readonly kindRank: number
}

/** All dialect files together, ready for look-ups by bytes. */
export interface Dialects {
  readonly fields: readonly Field[]
  readonly spanKeys: KeyTable
  readonly spanMeanings: readonly KeyMeaning[]
  readonly resourceKeys: KeyTable
  readonly resourceMeanings: readonly KeyMeaning[]
  readonly contentPrefixes: readonly Buffer[]
  readonly contentEvents: KeyTable
  readonly operations: KeyTable
  /** Kind of step for each index of `operations`. */
  readonly operationKinds: readonly string[]
  /** Kind of step for each kindRank. */
  readonly attributeKinds: readonly string[]
}

const UNITS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 } as const
const unit = z.enum(['ns', 'us', 'ms', 's'])
const source = z.union([
  z.string().transform((attribute) => ({ attribute, resource: undefined, unit: undefined })),
  z.strictObject({
    attribute: z.string().optional(),
    resource: z.string().optional(),
    unit: unit.optional(),
  }),
])
const dialectFile = z.strictObject({
  name: z.string(),
  fields: z.record(z.string(), z.array(source)),
  content: z.array(z.string()).default([]),
  content_prefixes: z.array(z.string()).default([]),
  content_events: z.array(z.string()).default([]),
  kinds: z
    .strictObject({
      by_operation: z.record(z.string(), z.array(z.string())).default({}),
      by_attribute: z
        .array(z.strictObject({ attribute: z.string(), kind: z.string() }))
        .default([]),
    })
    .default({ by_operation: {}, by_attribute: [] }),
})

/** One family's conventions, see dialects/*.yaml. */
export type DialectFile = z.output<typeof dialectFile>

const FOLDER = new URL('dialects/', import.meta.url)

/** Reads every file of dialects/ in the order of their names. Throws naming the file and the place. */
export function loadDialects(): Dialects {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))
  return compileDialects(files.sort().map((name) => parseDialect(readText(name), name)))
}

function readText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}

/** Parses one file. Throws an Error that names the file and every place that is wrong. */
export function parseDialect(text: string, file: string): DialectFile {
  const result = dialectFile.safeParse(parseYaml(text, file))
  if (result.success) return result.data
  const places = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  throw new Error(`${file} is not a dialect file:\n${places.join('\n')}`)
}

/** Puts dialects together; a field's sources rank in the order of the files, then within a file. */
export function compileDialects(files: readonly DialectFile[]): Dialects {
  const fields = mappableFields()
  const spanMeanings = new Map<string, KeyMeaning>()
  const resourceMeanings = new Map<string, KeyMeaning>()
  const ranks = fields.map(() => 0)
  for (const file of files) {
    for (const [name, sources] of Object.entries(file.fields)) {
      const field = fields.findIndex((candidate) => candidate.name === name)
      if (field < 0) throw new Error(`dialect ${file.name}: no field of a span is called ${name}`)
      const isContent = name === 'prompt' || name === 'completion'
      for (const { attribute, resource, unit: given } of sources) {
        const rank = (ranks[field] = (ranks[field] ?? 0) + 1)
        const factor = given === undefined ? 1 : UNITS[given]
        const meaning = { field, rank, factor, isContent, kindRank: -1 }
        if (attribute !== undefined) setIfNew(spanMeanings, attribute, meaning)
        if (resource !== undefined) setIfNew(resourceMeanings, resource, meaning)
      }
    }
    for (const key of file.content) amend(spanMeanings, key, { isContent: true })
  }
  const attributeKinds = files.flatMap((file) => file.kinds.by_attribute)
  attributeKinds.forEach(({ attribute }, kindRank) => amend(spanMeanings, attribute, { kindRank }))
  const operations = files.flatMap((file) =>
    Object.entries(file.kinds.by_operation).flatMap(([kind, names]) =>
      names.map((name) => ({ name, kind })),
    ),
  )
  return {
    fields,
    spanKeys: createKeyTable([...spanMeanings.keys()]),
    spanMeanings: [...spanMeanings.values()],
    resourceKeys: createKeyTable([...resourceMeanings.keys()]),
    resourceMeanings: [...resourceMeanings.values()],
    contentPrefixes: files.flatMap((file) =>
      file.content_prefixes.map((text) => Buffer.from(text)),
    ),
    contentEvents: createKeyTable(files.flatMap((file) => file.content_events)),
    operations: createKeyTable(operations.map(({ name }) => name)),
    operationKinds: operations.map(({ kind }) => kind),
    attributeKinds: attributeKinds.map(({ kind }) => kind),
  }
}

function setIfNew(meanings: Map<string, KeyMeaning>, key: string, meaning: KeyMeaning): void {
  if (!meanings.has(key)) meanings.set(key, meaning)
}

const UNMAPPED: KeyMeaning = { field: -1, rank: 0, factor: 1, isContent: false, kindRank: -1 }

function amend(meanings: Map<string, KeyMeaning>, key: string, change: Partial<KeyMeaning>): void {
  meanings.set(key, { ...(meanings.get(key) ?? UNMAPPED), ...change })
}

/** Fields that OTLP itself fills, whatever the attributes say. */
const OTLP_FIELDS = new Set([
  'kind',
  'status',
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

const avroFields = z.object({ fields: z.array(z.object({ name: z.string(), type: z.unknown() })) })

/** The fields of span.avsc that attributes may fill, in its order. */
export function mappableFields(): readonly Field[] {
  return avroFields.parse(schemas.span).fields.flatMap(({ name, type }) => {
    const known = fieldType(type)
    return known === undefined || OTLP_FIELDS.has(name) ? [] : [{ name, type: known }]
  })
}

function fieldType(type: unknown): FieldType | undefined {
  if (type === 'string') return 'string'
  if (!Array.isArray(type) || type[0] !== 'null') return undefined
  return (['long', 'double', 'boolean'] as const).find((candidate) => candidate === type[1])
}
