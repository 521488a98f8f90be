import { spans as spansTopic } from '#schemas/topics.ts'
import type { Conventions } from './conventions.ts'
import type { Source } from './dialect-file.ts'
import { ABSENT } from './field-slots.ts'
import type { ProtoReader } from './otlp-reader.ts'
import type { SpanDraft } from './span-draft.ts'
import { createTranscoder, type TranscodeLimits } from './transcode.ts'
import { translate } from './translate.ts'

/** A field of a span and what filled it. */
export interface ExplainedField {
  readonly field: string
  readonly value: string
  /** `<dialect>: <source>`, or what else filled it. */
  readonly from: string
}

/** One span as it came and as it is understood. */
export interface ExplainedSpan {
  readonly name: string
  /** Attributes as they came, of the span alone. */
  readonly before: Readonly<Record<string, string>>
  readonly fields: readonly ExplainedField[]
  /** Attributes that remain, under their canonical names. */
  readonly attributes: Readonly<Record<string, string>>
  readonly content: readonly string[]
  readonly flags: readonly string[]
}

/** What becomes of a request. */
export type Explained =
  | {
      readonly type: 'explained'
      readonly spans: readonly ExplainedSpan[]
      readonly rejected: readonly { readonly index: number; readonly detail: string }[]
    }
  | { readonly type: 'malformed'; readonly message: string }

/** What ingest makes of an OTLP request, and why. Nothing is sent anywhere. */
export function explainRequest(
  conventions: Conventions,
  limits: TranscodeLimits,
  encoding: 'proto' | 'json',
  body: Buffer,
): Explained {
  const drafts: { before: Record<string, string>; from: Map<string, string> }[] = []
  const transcode = createTranscoder(conventions, limits, {
    observe(draft, reader) {
      drafts.push({ before: attributesOf(draft, reader), from: sourcesOf(draft) })
    },
  })
  const translation = translate(transcode, encoding, body, 0)
  if (translation.type !== 'translated') return { type: 'malformed', message: translation.message }
  const decoded = translation.batches.flatMap((batch) => spansTopic.codec.decode(batch))
  return {
    type: 'explained',
    rejected: translation.rejected,
    spans: decoded.map((span, index) => {
      const draft = drafts[index]
      return explainSpan(span, draft?.before ?? {}, draft?.from ?? new Map())
    }),
  }
}

function attributesOf(draft: SpanDraft, reader: ProtoReader): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: draft.attributes }, (_, index) => [
      reader.buffer.toString('utf8', draft.keyStart[index], draft.keyEnd[index]),
      draft.textOf(reader, index),
    ]),
  )
}

function sourcesOf(draft: SpanDraft): Map<string, string> {
  const { dialects, slots } = draft
  const from = new Map<string, string>()
  const kind = draft.kind.source
  if (kind !== undefined) from.set('kind', kind)
  for (const [index, { name }] of dialects.fields.entries()) {
    const info = dialects.sources[index]?.[slots.rank[index] ?? 0]
    if (slots.place[index] === ABSENT || info === undefined) continue
    from.set(name, `${info.dialect}: ${describeSource(info.source)}`)
  }
  return from
}

/** A source as one would write it in a dialect file, in short. */
function describeSource(source: Source): string {
  const { attribute, resource, event, path, sum, unit, moment } = source
  const place = attribute ?? (resource === undefined ? `event ${event}` : `resource ${resource}`)
  const member = path === undefined ? '' : ` → ${path.join('.')}`
  const added = sum === undefined ? '' : ` → sum of ${sum}*`
  const measured = unit === undefined ? '' : ` in ${unit}`
  return `${place}${member}${added}${measured}${moment === undefined ? '' : ' less the start'}`
}

const TOLD_BY_OTLP = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'name',
  'span_kind',
  'start_time_unix_nano',
  'duration_nano',
  'status',
  'status_message',
  'scope_name',
  'scope_version',
  'trace_state',
])
const WITHOUT_SOURCE = new Set([
  'attributes',
  'resource_attributes',
  'content',
  'events',
  'links',
  'received_time_unix_nano',
])

function explainSpan(
  span: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, string>>,
  from: ReadonlyMap<string, string>,
): ExplainedSpan {
  const fields = Object.entries(span).flatMap(([field, value]) => {
    if (WITHOUT_SOURCE.has(field) || isEmpty(value)) return []
    return [
      {
        field,
        value: String(value),
        from: from.get(field) ?? (TOLD_BY_OTLP.has(field) ? 'OTLP' : 'worked out'),
      },
    ]
  })
  return {
    name: String(span['name']),
    before,
    fields,
    attributes: textMap(span['attributes']),
    content: Object.keys(textMap(span['content'])),
    flags: Array.isArray(span['flags']) ? span['flags'].map(String) : [],
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

function textMap(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
}
