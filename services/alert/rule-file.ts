import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { messageOf } from '#runtime/errors.ts'
import { misshapen, readYamlTexts, type YamlTexts } from '#runtime/yaml.ts'
import { parseDuration } from './duration.ts'
import { compileRule } from './rule-compile.ts'
import { type Mistake, Place } from './rule-place.ts'
import { shareSeries } from './rule-series.ts'
import { type RuleData, ruleFileShape, ruleShape } from './rule-shape.ts'
import type { RuleSet } from './rule.ts'

const DEFAULT_LATENESS_MS = 30_000
const MAX_LATENESS_MS = 86_400_000
const SHIPPED = new URL('rules/', import.meta.url)

interface ReadRule {
  readonly data: RuleData
  readonly place: Place
}

interface ReadFile {
  readonly rules: readonly ReadRule[]
  readonly disabled: readonly { readonly name: string; readonly place: Place }[]
  readonly latenessMs: number | undefined
  readonly mistakes: readonly Mistake[]
}

/** Paths of the rule files that ship with Spanmeter. */
export function shippedRuleFiles(): readonly string[] {
  return readdirSync(SHIPPED)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => fileURLToPath(new URL(name, SHIPPED)))
}

/**
 * Reads rule files, see docs/alerts.md. A rule replaces that of the same name in an earlier file.
 * Throws an Error that names every mistake with its file and line.
 */
export function parseRuleFiles(
  files: readonly { readonly file: string; readonly text: string }[],
): RuleSet {
  const read = files.map(({ file, text }) => readFile(file, text))
  const rules = new Map<string, ReadRule>()
  for (const rule of read.flatMap((file) => file.rules)) rules.set(rule.data.name, rule)
  const disabled = new Set<string>()
  for (const { name, place } of read.flatMap((file) => file.disabled)) {
    disabled.add(name)
    if (rules.has(name)) continue
    place.refuse(`there is no rule "${name}"; there are ${[...rules.keys()].join(', ') || 'none'}`)
  }
  const allowedLatenessMs =
    read.flatMap(({ latenessMs }) => latenessMs ?? []).at(-1) ?? DEFAULT_LATENESS_MS
  // Rules that are replaced or off are looked at too: their mistakes are mistakes.
  const compiled = read.flatMap((file) =>
    file.rules.flatMap((rule) => {
      const levels = compileRule(rule.data, rule.place, allowedLatenessMs)
      return rules.get(rule.data.name) === rule && !disabled.has(rule.data.name) ? levels : []
    }),
  )
  const mistakes = read.flatMap((file) => file.mistakes.toSorted((a, b) => a.line - b.line))
  if (mistakes.length > 0) {
    throw new Error(`There are mistakes:\n  ${mistakes.map(({ text }) => text).join('\n  ')}`)
  }
  return { ...shareSeries(compiled), allowedLatenessMs }
}

function readFile(file: string, text: string): ReadFile {
  const mistakes: Mistake[] = []
  const nothing: ReadFile = { rules: [], disabled: [], latenessMs: undefined, mistakes }
  const document = openFile(file, text, mistakes)
  if (document === undefined) return nothing
  const place = new Place({ file, document, mistakes })
  const result = ruleFileShape.safeParse(document.value ?? {})
  if (!result.success) {
    for (const { path, message } of misshapen(result.error)) place.at(...path).refuse(message)
    return nothing
  }
  const { rules, disable, allowed_lateness: lateness } = result.data
  return {
    mistakes,
    rules: readRules(rules, place),
    disabled: disable.map((name, i) => ({ name, place: place.at('disable', i) })),
    latenessMs:
      lateness === undefined ? undefined : readLateness(lateness, place.at('allowed_lateness')),
  }
}

function openFile(file: string, text: string, mistakes: Mistake[]): YamlTexts | undefined {
  try {
    return readYamlTexts(text, file)
  } catch (error) {
    mistakes.push({ line: 0, text: messageOf(error) })
    return undefined
  }
}

function readRules(given: readonly unknown[], place: Place): readonly ReadRule[] {
  const seen = new Map<string, number>()
  return given.flatMap((one, i) => {
    const at = place.at('rules', i)
    const result = ruleShape.safeParse(one)
    if (!result.success) {
      for (const { path, message } of misshapen(result.error)) at.at(...path).refuse(message)
      return []
    }
    const { name } = result.data
    const other = seen.get(name)
    if (other !== undefined) at.at('name').refuse(`is that of rules.${other}, in the same file`)
    seen.set(name, i)
    return [{ data: result.data, place: at }]
  })
}

function readLateness(text: string, place: Place): number {
  const ms = parseDuration(text)
  const isFit = ms !== undefined && ms <= MAX_LATENESS_MS
  return place.number(isFit ? ms : undefined, text, 'a duration of up to 1d, such as 30s')
}
