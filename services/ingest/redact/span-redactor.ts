import { createLayout } from '#schemas/layout.ts'
import { schemas } from '#schemas/topics.ts'
import { AvroReader, AvroWriter } from '#schemas/wire.ts'
import { type Action, actionFor, type FieldRules } from './policy.ts'
import { redactField, type RedactionScope, redactText } from './text-redactor.ts'

/**
 * Fields that ingest makes itself, of digits or of words that it knows: there is nothing to find in them, and spans are
 * joined and counted by them.
 */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'trace_id',
  'span_id',
  'parent_span_id',
  'kind',
  'status',
  'span_kind',
  'error_type',
  'usage_rule',
])
const MAPS: Readonly<Record<string, string>> = {
  attributes: 'attributes.',
  resource_attributes: 'resource.',
  content: 'content.',
}
/** Fields that are content beside the map of that name. */
const CONTENT = new Set(['prompt', 'completion', 'content'])

/** A place in an item that is written anew: nothing (of a count that is zero now), or a string. */
interface Patch {
  readonly start: number
  readonly end: number
  readonly write: (out: AvroWriter) => void
}

type Visit = (start: number) => void

interface Place {
  readonly name: string
  /** Index of the field in the layout. */
  readonly field: number
  readonly visit: Visit
}

/** The rules for one map, asked by its keys. */
interface KeyRules {
  readonly actionOf: (key: string) => Action | undefined
}

const MAX_CLEAN = 4_096
const MAX_CLEAN_BYTES = 64

const nothing = () => undefined

/**
 * Redacts spans that ingest has written, in the bytes of their batch. A span in which nothing is to be done is only
 * looked at.
 */
export class SpanRedactor {
  readonly #layout = createLayout(schemas.span)
  readonly #starts = new Uint32Array(this.#layout.names.length)
  readonly #reader = new AvroReader(Buffer.alloc(0))
  readonly #scratch = new AvroWriter(4_096)
  readonly #places: readonly Place[]
  /** Short texts that have features and nothing to redact by the policy at hand: names of models, versions, dates. */
  readonly #clean = new Set<string>()
  #patches: Patch[] = []
  #scope: RedactionScope | undefined
  /** What the policy at hand does with whole fields, and its rules for the maps that it has rules for. */
  #actions = new Map<string, Action>()
  #rules = new Map<string, KeyRules>()

  constructor() {
    this.#places = this.#layout.names.flatMap((name, field) => {
      const visit = this.#visitOf(name)
      return visit === undefined ? [] : [{ name, field, visit }]
    })
  }

  /** Redacts the item from `from` to the end of what is written; it may become shorter or longer. */
  redact(items: AvroWriter, from: number, scope: RedactionScope, tenantIsFixed: boolean): void {
    const reader = this.#reader
    reader.buffer = items.buffer
    reader.position = from
    this.#layout.locate(reader, this.#starts)
    if (this.#scope?.policy !== scope.policy) this.#takeRules(scope.policy.fields)
    this.#scope = scope
    this.#patches = []
    for (const { name, field, visit } of this.#places) {
      const start = this.#starts[field] ?? 0
      // A zero is an empty string, or a map or an array without items.
      if (reader.buffer[start] === 0 || (tenantIsFixed && name === 'tenant')) continue
      if (scope.policy.dropsContent && CONTENT.has(name)) this.#clear(start, field, items.length)
      else visit(start)
    }
    if (this.#patches.length > 0) this.#apply(items, from)
  }

  #takeRules(rules: FieldRules): void {
    this.#clean.clear()
    this.#actions.clear()
    for (const { name } of this.#places) {
      const action = actionFor(rules, name)
      if (action !== undefined) this.#actions.set(name, action)
    }
    this.#rules = new Map(
      PREFIXES.filter((prefix) => mayFit(rules, prefix)).map((prefix) => [
        prefix,
        rulesOf(rules, prefix),
      ]),
    )
  }

  #visitOf(name: string): Visit | undefined {
    if (OWN_FIELDS.has(name)) return undefined
    if (this.#layout.strings.has(name)) {
      return (start) => {
        this.#reader.position = start
        this.#string(this.#actions.get(name))
      }
    }
    const prefix = MAPS[name]
    if (prefix !== undefined) {
      return (start) => {
        this.#reader.position = start
        this.#map(prefix)
      }
    }
    if (name === 'events') return (start) => this.#records(start, 'events.', (r) => r.skipLong(), 1)
    return name === 'links' ? (start) => this.#records(start, 'links.', nothing, 2) : undefined
  }

  /** An array of records: what stands in front, strings, then a map of attributes. */
  #records(
    start: number,
    prefix: string,
    skipFront: (reader: AvroReader) => void,
    strings: number,
  ): void {
    const reader = this.#reader
    reader.position = start
    reader.skipBlocks(() => {
      skipFront(reader)
      for (let i = 0; i < strings; i++) {
        if (prefix === 'events.') this.#string(undefined)
        else reader.skipString()
      }
      this.#map(prefix)
    })
  }

  /** Reads a string and notes what it becomes. */
  #string(action: Action | undefined): void {
    const reader = this.#reader
    const scope = this.#scope
    const start = reader.position
    const bytes = reader.long()
    const from = reader.position
    const end = from + bytes
    reader.position = end
    if (bytes === 0 || scope === undefined || action === 'keep') return
    if (action === undefined) {
      const features = scope.policy.scan(reader.buffer, from, end)
      if (features === 0) return
      const text = reader.buffer.toString('utf8', from, end)
      if (this.#clean.has(text)) return
      const redacted = redactText(scope, text, features)
      if (redacted !== text) this.#replace(start, end, redacted)
      else if (bytes <= MAX_CLEAN_BYTES) this.#remember(text)
      return
    }
    const text = reader.buffer.toString('utf8', from, end)
    this.#replace(start, end, redactField(scope, action, text))
  }

  #remember(clean: string): void {
    if (this.#clean.size >= MAX_CLEAN) this.#clean.clear()
    this.#clean.add(clean)
  }

  #replace(start: number, end: number, text: string): void {
    this.#patches.push({ start, end, write: (out) => out.string(text) })
  }

  #map(prefix: string): void {
    const reader = this.#reader
    const rules = this.#rules.get(prefix)
    for (;;) {
      const start = reader.position
      const count = reader.long()
      if (count === 0) return
      const atCount = this.#patches.length
      const countEnd = reader.position
      let dropped = 0
      for (let i = 0; i < count; i++) if (this.#entry(rules)) dropped++
      if (dropped === 0) continue
      const left = count - dropped
      const write = (out: AvroWriter) => (left === 0 ? undefined : out.long(left))
      this.#patches.splice(atCount, 0, { start, end: countEnd, write })
    }
  }

  /** One entry of a map; true where a rule drops it. */
  #entry(rules: KeyRules | undefined): boolean {
    const reader = this.#reader
    const start = reader.position
    if (rules === undefined) {
      this.#string(undefined)
      this.#string(undefined)
      return false
    }
    const action = rules.actionOf(reader.string())
    if (action === 'drop') {
      reader.skipString()
      this.#patches.push({ start, end: reader.position, write: nothing })
      return true
    }
    reader.position = start
    this.#string(undefined)
    this.#string(action)
    return false
  }

  /** Leaves a whole field empty: an empty string and an empty map are both a zero. */
  #clear(start: number, field: number, length: number): void {
    const end = this.#starts[field + 1] ?? length
    this.#patches.push({ start, end, write: (out) => out.boolean(false) })
  }

  #apply(items: AvroWriter, from: number): void {
    const scratch = this.#scratch
    scratch.length = 0
    let at = from
    for (const { start, end, write } of this.#patches) {
      scratch.raw(items.buffer, at, start)
      write(scratch)
      at = end
    }
    scratch.raw(items.buffer, at, items.length)
    items.length = from
    items.raw(scratch.buffer, 0, scratch.length)
  }
}

const PREFIXES = ['attributes.', 'resource.', 'content.', 'events.', 'links.']

/** Whether a name that begins so may fit one of the rules. */
function mayFit({ exact, patterns }: FieldRules, prefix: string): boolean {
  if ([...exact.keys()].some((name) => name.startsWith(prefix))) return true
  return patterns.some(({ name }) => {
    const first = name.split('*')[0] ?? ''
    return prefix.startsWith(first) || first.startsWith(prefix)
  })
}

function rulesOf({ exact, patterns }: FieldRules, prefix: string): KeyRules {
  const keys = [...exact].filter(([name]) => name.startsWith(prefix))
  const byKey = new Map(keys.map(([name, action]) => [name.slice(prefix.length), action]))
  const rest = { exact: new Map<string, Action>(), patterns }
  return {
    actionOf: (key) =>
      byKey.get(key) ?? (patterns.length === 0 ? undefined : actionFor(rest, prefix + key)),
  }
}
