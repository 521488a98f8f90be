import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { compileConditions, type Condition } from './conditions.ts'
import { type DialectFile, parseDialect, type Source } from './dialect-file.ts'
import { WORKED_OUT } from './field-slots.ts'
import {
  finished,
  type KeyMeaning,
  kindValues,
  type KindValues,
  type Meaning,
  meaningOf,
  type Target,
} from './key-meanings.ts'
import { createKeyPrefixes, type KeyPrefixes } from './key-prefixes.ts'
import { createKeyTable, type KeyTable } from './key-table.ts'
import { COUNT, type Field, mappableFields, PSEUDO_FIELDS } from './span-fields.ts'

/**
 * What an instrumentation's counts leave out of their totals. A rule that names an attribute, or else
 * a scope, is asked of every span that has it; a rule that names neither, where a source of its own
 * dialect told the counts.
 */
export interface AccountingRule {
  readonly name: string
  readonly holds: Condition
  readonly inputExcludes: readonly string[]
  readonly outputExcludes: readonly string[]
}

/** Where a field may come from. */
export interface SourceInfo {
  readonly dialect: string
  readonly source: Source
  readonly accounting: readonly AccountingRule[]
}

/** All dialect files together, ready for look-ups by bytes. */
export interface Dialects {
  /** Those of span.avsc, then those that are read only to work others out. */
  readonly fields: readonly Field[]
  /** How many of the fields are those of span.avsc. */
  readonly realFields: number
  /** 1 for each field that counts what is paid for. */
  readonly counts: Uint8Array
  /** Accounting rules with a condition on an attribute or a scope. */
  readonly conditionalRules: readonly AccountingRule[]
  /** Which of them are asked for in a scope, by the beginning of its name. */
  readonly scopeRules: readonly { readonly scope: string; readonly bit: number }[]
  /** Of each field, its sources by rank. */
  readonly sources: readonly (readonly SourceInfo[])[]
  readonly spanKeys: KeyTable
  readonly spanMeanings: readonly KeyMeaning[]
  /** Of each span key that fills one field and says nothing else: that field, else -1; nearly all look-ups end here. */
  readonly onlyField: Int16Array
  readonly onlyRank: Uint8Array
  readonly onlyFactor: Float64Array
  readonly resourceKeys: KeyTable
  readonly resourceMeanings: readonly KeyMeaning[]
  readonly eventKeys: KeyTable
  readonly eventMeanings: readonly KeyMeaning[]
  readonly contentPrefixes: KeyPrefixes
  /** Names that attributes without a field go by, as their bytes. */
  readonly canonicalNames: readonly Buffer[]
  readonly nameKinds: KindValues | undefined
  /** Kind of step for each presenceRank. */
  readonly presenceKinds: readonly string[]
  /** What tells a kind, as <dialect>: <source>, for each rank of a value, and for each presenceRank. */
  readonly kindSources: readonly string[]
  readonly presenceSources: readonly string[]
}

const UNITS = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, usd: 1 } as const
const MAX_RULES = 31
const MAX_SOURCES = WORKED_OUT - 1
const FOLDER = fileURLToPath(new URL('dialects/', import.meta.url))

/**
 * Reads the files that ship, and those of a folder of the user's own, where a file replaces the
 * shipped one of the same name. Throws naming the file and the place.
 */
export function loadDialects(ownFolder?: string): Dialects {
  const own = ownFolder === undefined ? [] : readFolder(ownFolder)
  const names = new Set(own.map(({ name }) => name))
  return compileDialects([...readFolder(FOLDER).filter(({ name }) => !names.has(name)), ...own])
}

function readFolder(folder: string): readonly DialectFile[] {
  const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name))
  return files.sort().map((name) => {
    const path = join(folder, name)
    return parseDialect(readFileSync(path, 'utf8'), folder === FOLDER ? name : path)
  })
}

/** Puts dialects together: the sources of a field rank by their file's precedence, then by their order within it. */
export function compileDialects(unordered: readonly DialectFile[]): Dialects {
  const files = unordered.toSorted((a, b) => a.precedence - b.precedence)
  const fields = mappableFields()
  const spans = new Map<string, Meaning>()
  const resources = new Map<string, Meaning>()
  const events = new Map<string, Meaning>()
  const sources = compileFields(files, fields, { spans, resources, events })
  for (const { content, content_events: names } of files) {
    for (const key of content) meaningOf(spans, key).isContent = true
    for (const name of names) meaningOf(events, name).isContent = true
  }
  const canonicalNames = compileCanonical(files, spans)
  return {
    fields,
    realFields: fields.length - PSEUDO_FIELDS.length,
    counts: Uint8Array.from(fields, ({ name }) => (COUNT.test(name) ? 1 : 0)),
    ...compileConditionalRules(files, spans),
    sources,
    canonicalNames: canonicalNames.map((name) => Buffer.from(name)),
    ...compileKinds(files, spans),
    contentPrefixes: createKeyPrefixes(files.flatMap((file) => file.content_prefixes)),
    ...tables(spans, resources, events),
  }
}

function tables(
  spans: ReadonlyMap<string, Meaning>,
  resources: ReadonlyMap<string, Meaning>,
  events: ReadonlyMap<string, Meaning>,
) {
  const spanMeanings = [...spans.values()].map(finished)
  const only = spanMeanings.map(({ isPlain, isContent, targets }) =>
    isPlain && !isContent && targets.length === 1 ? targets[0] : undefined,
  )
  return {
    spanKeys: createKeyTable([...spans.keys()]),
    spanMeanings,
    onlyField: Int16Array.from(only, (target) => target?.field ?? -1),
    onlyRank: Uint8Array.from(only, (target) => target?.rank ?? 0),
    onlyFactor: Float64Array.from(only, (target) => target?.factor ?? 1),
    resourceKeys: createKeyTable([...resources.keys()]),
    resourceMeanings: [...resources.values()].map(finished),
    eventKeys: createKeyTable([...events.keys()]),
    eventMeanings: [...events.values()].map(finished),
  }
}

interface Tables {
  readonly spans: Map<string, Meaning>
  readonly resources: Map<string, Meaning>
  readonly events: Map<string, Meaning>
}

function compileFields(
  files: readonly DialectFile[],
  fields: readonly Field[],
  into: Tables,
): readonly (readonly SourceInfo[])[] {
  const sources = fields.map((): SourceInfo[] => [])
  for (const file of files) {
    const accounting = file.accounting
      .filter((rule) => !isConditional(rule))
      .map((rule) => compileRule(file, rule))
    for (const [name, list] of Object.entries(file.fields)) {
      const field = fields.findIndex((candidate) => candidate.name === name)
      const known = sources[field]
      if (known === undefined) {
        throw new Error(`dialect ${file.name}: no field of a span is called ${name}`)
      }
      for (const source of list) {
        const rank = known.push({ dialect: file.name, source, accounting }) - 1
        if (rank > MAX_SOURCES) throw new Error(`the field ${name} has too many sources`)
        addSource(into, source, { field, rank, factor: UNITS[source.unit ?? 'ns'] }, name)
      }
    }
  }
  return sources
}

function addSource(into: Tables, source: Source, target: Target, name: string): void {
  if (source.resource !== undefined) meaningOf(into.resources, source.resource).targets.push(target)
  else if (source.event !== undefined) meaningOf(into.events, source.event).targets.push(target)
  else {
    const meaning = meaningOf(into.spans, source.attribute ?? '')
    if (name === 'prompt' || name === 'completion') meaning.isContent = true
    const { path, sum, moment, values, when, unit } = source
    const isPlain = [path, sum, moment, values, when].every((part) => part === undefined)
    if (isPlain && unit !== 'usd') meaning.targets.push(target)
    else meaning.late.push({ ...target, source, holds: compileConditions(when ?? []) })
  }
}

/** Rules that name an attribute or a scope; as many as a number has bits. */
function compileConditionalRules(files: readonly DialectFile[], spans: Map<string, Meaning>) {
  const conditionalRules: AccountingRule[] = []
  const scopeRules: { scope: string; bit: number }[] = []
  for (const file of files) {
    for (const rule of file.accounting.filter(isConditional)) {
      const bit = 1 << conditionalRules.length
      if (conditionalRules.push(compileRule(file, rule)) > MAX_RULES) {
        throw new Error('there are too many accounting rules')
      }
      const keys = rule.when.flatMap(({ attribute }) => attribute ?? [])
      for (const key of keys) meaningOf(spans, key).ruleBits |= bit
      if (keys.length > 0) continue
      scopeRules.push(
        ...rule.when.flatMap(({ scope }) => (scope === undefined ? [] : { scope, bit })),
      )
    }
  }
  return { conditionalRules, scopeRules }
}

type RuleFile = DialectFile['accounting'][number]

function isConditional({ when }: RuleFile): boolean {
  return when.some(({ attribute, scope }) => attribute !== undefined || scope !== undefined)
}

function compileRule({ name }: DialectFile, rule: RuleFile): AccountingRule {
  return {
    name: `${name}/${rule.rule}`,
    holds: compileConditions(rule.when),
    inputExcludes: rule.input_excludes,
    outputExcludes: rule.output_excludes,
  }
}

function compileCanonical(
  files: readonly DialectFile[],
  spans: Map<string, Meaning>,
): readonly string[] {
  const names = [...new Set(files.flatMap(({ attributes }) => Object.keys(attributes)))]
  names.forEach((name, canonical) => {
    const aliases = files.flatMap(({ attributes }) => attributes[name] ?? [])
    for (const [canonicalRank, key] of [name, ...aliases].entries()) {
      const meaning = meaningOf(spans, key)
      if (meaning.canonical < 0) Object.assign(meaning, { canonical, canonicalRank })
    }
  })
  return names
}

function compileKinds(files: readonly DialectFile[], spans: Map<string, Meaning>) {
  const ordered = files.toSorted(
    (a, b) => (a.kinds.precedence ?? a.precedence) - (b.kinds.precedence ?? b.precedence),
  )
  const names: { value: string; rank: number; kind: string }[] = []
  const byValue = ordered.flatMap(({ name, kinds }) =>
    kinds.by_value.map((entry) => ({ ...entry, dialect: name })),
  )
  for (const [rank, entry] of byValue.entries()) {
    const values = entry.attribute === undefined ? names : meaningOf(spans, entry.attribute).values
    for (const [kind, list] of Object.entries(entry.kinds)) {
      values.push(...list.map((value) => ({ value, rank, kind })))
    }
  }
  const presence = ordered.flatMap(({ name, kinds }) =>
    kinds.by_presence.map((entry) => ({ ...entry, dialect: name })),
  )
  for (const [rank, { attribute }] of presence.entries()) {
    const meaning = meaningOf(spans, attribute)
    if (meaning.presenceRank < 0) meaning.presenceRank = rank
  }
  return {
    presenceKinds: presence.map(({ kind }) => kind),
    kindSources: byValue.map(
      ({ dialect, attribute }) => `${dialect}: value of ${attribute ?? 'the span’s name'}`,
    ),
    presenceSources: presence.map(
      ({ dialect, attribute }) => `${dialect}: presence of ${attribute}`,
    ),
    nameKinds: names.length === 0 ? undefined : kindValues(names),
  }
}

/** Index of a field. Throws for a name that there is not. */
export function fieldIndex({ fields }: Dialects, name: string): number {
  const found = fields.findIndex((field) => field.name === name)
  if (found < 0) throw new Error(`no field of a span is called ${name}`)
  return found
}
