import type { Condition } from './conditions.ts'
import type { Source } from './dialect-file.ts'
import { createKeyTable, type KeyTable } from './key-table.ts'

/** A field that a source fills. */
export interface Target {
  readonly field: number
  /** Place among that field's sources: the lowest wins. */
  readonly rank: number
  /** Multiplier from the source's unit to the field's. */
  readonly factor: number
}

/** A field that takes more than the value as it stands; filled when all attributes are known. */
export interface LateTarget extends Target {
  readonly source: Source
  readonly holds: Condition
}

/** Values that tell the kind of step, with their places among all such values. */
export interface KindValues {
  readonly table: KeyTable
  readonly ranks: readonly number[]
  readonly kinds: readonly string[]
}

/** What a key means: of an attribute, or the name of an event. */
export interface KeyMeaning {
  readonly targets: readonly Target[]
  readonly late: readonly LateTarget[]
  /** One bit for each of `conditionalRules` that has a condition on it. */
  readonly ruleBits: number
  /** Whether all that it says is in `targets`, `isContent` apart. */
  readonly isPlain: boolean
  /** Whether it holds content, which is dropped with the prompt. */
  readonly isContent: boolean
  /** Place among the attributes that tell the kind of step by being there, or -1. */
  readonly presenceRank: number
  readonly kindValues: KindValues | undefined
  /** Index of the canonical name that it goes by, or -1, and its place among those who do. */
  readonly canonical: number
  readonly canonicalRank: number
}

/** What a key means while dialect files are put together. */
export interface Meaning {
  ruleBits: number
  targets: Target[]
  late: LateTarget[]
  isContent: boolean
  presenceRank: number
  values: { value: string; rank: number; kind: string }[]
  canonical: number
  canonicalRank: number
}

/** The meaning, ready to be asked. */
export function finished({ values, ...meaning }: Meaning): KeyMeaning {
  const { late, presenceRank, canonical, ruleBits } = meaning
  const tellsMore = presenceRank >= 0 || canonical >= 0 || ruleBits !== 0
  return {
    ...meaning,
    isPlain: late.length === 0 && values.length === 0 && !tellsMore,
    kindValues: values.length === 0 ? undefined : kindValues(values),
  }
}

/** A table of values; of those that stand twice the first counts. */
export function kindValues(
  values: readonly { value: string; rank: number; kind: string }[],
): KindValues {
  const first = values.filter(
    ({ value }, index) => values.findIndex((other) => other.value === value) === index,
  )
  return {
    table: createKeyTable(first.map(({ value }) => value)),
    ranks: first.map(({ rank }) => rank),
    kinds: first.map(({ kind }) => kind),
  }
}

/** The meaning of a key, made where there is none. */
export function meaningOf(meanings: Map<string, Meaning>, key: string): Meaning {
  const known = meanings.get(key)
  if (known !== undefined) return known
  const meaning: Meaning = {
    ruleBits: 0,
    targets: [],
    late: [],
    isContent: false,
    presenceRank: -1,
    values: [],
    canonical: -1,
    canonicalRank: 0,
  }
  meanings.set(key, meaning)
  return meaning
}
