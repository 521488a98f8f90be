import type { YamlTexts } from '#runtime/yaml.ts'
import { parseDuration } from './duration.ts'

/** A rule file while it is read, and the mistakes that were found in it. */
export interface RuleDocument {
  readonly file: string
  readonly document: YamlTexts
  readonly mistakes: Mistake[]
}

export interface Mistake {
  /** 0 where it is the whole file's. */
  readonly line: number
  readonly text: string
}

/**
 * A place of a rule file. What is wrong there is noted, and reading goes on, so that all mistakes are
 * told at once. A number that cannot be read is NaN then, about which no later check complains.
 */
export class Place {
  readonly #text: RuleDocument
  readonly #path: readonly PropertyKey[]

  constructor(text: RuleDocument, path: readonly PropertyKey[] = []) {
    this.#text = text
    this.#path = path
  }

  at(...keys: readonly PropertyKey[]): Place {
    return new Place(this.#text, [...this.#path, ...keys])
  }

  /** Notes a mistake. */
  refuse(message: string): void {
    const { file, document, mistakes } = this.#text
    const place = document.describe(this.#path)
    const text = `${file}${place === '' ? '' : ` ${place}`}: ${message}`
    mistakes.push({ line: document.lineOf(this.#path) ?? 0, text })
  }

  /** The value, or NaN and a mistake. */
  number(value: number | undefined, text: string, what: string): number {
    if (value === undefined) this.refuse(`"${text}" is not ${what}`)
    return value ?? Number.NaN
  }

  /** Milliseconds above 0. */
  duration(text: string): number {
    const ms = parseDuration(text)
    return this.number(ms === 0 ? undefined : ms, text, 'a duration such as 30s, 5m, 1h or 30d')
  }
}
