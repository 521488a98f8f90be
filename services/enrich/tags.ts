import { z } from 'zod'
import { parseYaml, requireShape } from '#runtime/yaml.ts'
import { fieldIndex, type SpanView, stringFieldIndex } from './span-view.ts'

/** The tags that costs are allocated by, in the order in which they open a span. */
export const TAGS = [
  'tenant',
  'team',
  'feature',
  'environment',
  'cost_centre',
  'user_tier',
] as const
export type Tag = (typeof TAGS)[number]

const tagValues = z.partialRecord(z.enum(TAGS), z.string())
const rulesFile = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        when: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
        set: tagValues.default({}),
        default: tagValues.default({}),
      }),
    )
    .default([]),
})

/** Works out a span's tags; undefined where the rules change none. */
export type TagSpan = (span: SpanView) => readonly string[] | undefined

type Read = (span: SpanView) => string
interface Rule {
  readonly matches: readonly ((span: SpanView) => boolean)[]
  readonly set: readonly Assignment[]
  readonly fill: readonly Assignment[]
}
interface Assignment {
  readonly tag: number
  readonly value: Read
}

const TAG_FIELDS = TAGS.map(fieldIndex)

/**
 * Reads a file of tag rules. Rules run in order, later ones win. A rule applies to spans whose fields
 * all match its `when` (`*` stands for any text; a list for any of its members); it sets the tags
 * under `set`, and those under `default` where they are empty. `${field}` in a value is that field of
 * the span. Fields are those of span.avsc, attributes.<key> and resource_attributes.<key>.
 * Throws an Error that names the file and the place.
 */
export function parseTagRules(text: string, file: string): TagSpan {
  const complaint = `${file} does not hold tag rules`
  const given = requireShape(rulesFile, parseYaml(text, file) ?? {}, complaint)
  const rules = given.rules.map((rule, index): Rule => {
    const place = `${file}: rules.${index}`
    return {
      matches: Object.entries(rule.when).map(([field, wanted]) => {
        const read = readField(field, place)
        const pattern = globs(typeof wanted === 'string' ? [wanted] : wanted)
        return (span) => pattern.test(read(span))
      }),
      set: assignments(rule.set, place),
      fill: assignments(rule.default, place),
    }
  })
  return rules.length === 0 ? () => undefined : (span) => applyRules(rules, span)
}

function applyRules(rules: readonly Rule[], span: SpanView): readonly string[] | undefined {
  let tags: string[] | undefined
  for (const rule of rules) {
    if (!rule.matches.every((matches) => matches(span))) continue
    tags ??= TAG_FIELDS.map((field) => span.text(field))
    for (const { tag, value } of rule.set) tags[tag] = value(span)
    for (const { tag, value } of rule.fill) if (tags[tag] === '') tags[tag] = value(span)
  }
  return tags
}

function assignments(values: Partial<Record<Tag, string>>, place: string): readonly Assignment[] {
  return Object.entries(values).map(([name, text]) => ({
    tag: TAGS.findIndex((tag) => tag === name),
    value: template(text, place),
  }))
}

function template(text: string, place: string): Read {
  const parts = text.split(/\$\{([^}]*)\}/)
  const reads = parts.map((part, i): Read => (i % 2 === 0 ? () => part : readField(part, place)))
  return (span) => reads.map((read) => read(span)).join('')
}

function readField(name: string, place: string): Read {
  for (const map of ['attributes', 'resource_attributes']) {
    if (!name.startsWith(`${map}.`)) continue
    const field = fieldIndex(map)
    const key = name.slice(map.length + 1)
    return (span) => span.entry(field, key)
  }
  try {
    const field = stringFieldIndex(name)
    return (span) => span.text(field)
  } catch (cause) {
    throw new Error(`${place}: a span has no field "${name}" that is text`, { cause })
  }
}

function globs(patterns: readonly string[]): RegExp {
  const escaped = patterns.map((glob) =>
    glob
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*'),
  )
  return new RegExp(`^(?:${escaped.join('|')})$`, 's')
}
