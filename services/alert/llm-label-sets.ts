import { OTHER_GROUP } from './series.ts'

/** Labels that calls and scores can be told apart by beside those that they always have. */
export const METRIC_LABELS = [
  'tenant',
  'team',
  'feature',
  'environment',
  'cost_centre',
  'user_tier',
  'service',
  'prompt_id',
  'prompt_version',
  'experiment',
  'variant',
  'domain',
] as const
export type MetricLabel = (typeof METRIC_LABELS)[number]

/** Label sets of what has no room: of calls there are two, of good ones and of failed ones. */
const RESERVED = 2
/** Values come from outside: longer ones are cut. */
const MAX_VALUE_LENGTH = 200

/** Values of labels, and what is counted by them. */
export interface LabelSet<T> {
  readonly values: readonly string[]
  readonly counts: T
  /** Whether it stands for all that found no room. */
  readonly isOther: boolean
}

/** The label sets of one source: as many as there is room for, the first to come. */
export class LabelSets<T> {
  readonly #sets = new Map<string, LabelSet<T>>()
  readonly #room: number
  readonly #create: () => T
  /** How often something was counted that found no room. */
  overflowed = 0

  constructor(max: number, create: () => T) {
    this.#room = max - RESERVED
    this.#create = create
  }

  get size(): number {
    return this.#sets.size
  }

  all(): Iterable<LabelSet<T>> {
    return this.#sets.values()
  }

  /** The set of some values. Without room for it, they are all "(other)", but empty ones of `kept`. */
  of(values: readonly string[], kept: number): LabelSet<T> {
    const cut = values.map(cutValue)
    const found = this.#sets.get(JSON.stringify(cut))
    if (found !== undefined) return found
    if (this.#sets.size < this.#room) return this.#add(cut, false)
    const other = values.map((value, index) => (index === kept && value === '' ? '' : OTHER_GROUP))
    return this.#sets.get(JSON.stringify(other)) ?? this.#add(other, true)
  }

  #add(values: readonly string[], isOther: boolean): LabelSet<T> {
    const set = { values, isOther, counts: this.#create() }
    this.#sets.set(JSON.stringify(values), set)
    return set
  }
}

/** A character that is cut in two would be written as another one, which another value may have. */
function cutValue(value: string): string {
  return value.slice(0, MAX_VALUE_LENGTH).toWellFormed()
}
