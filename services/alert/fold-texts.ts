const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const FIRST_SLOTS = 1_024
const FREE = 0

/** The empty text has this number in every table. */
export const EMPTY_TEXT = 0

/**
 * Numbers for texts, so that the same bytes are decoded, compared and looked up once: a table by their
 * bytes. Texts that were there when it was sealed keep their numbers for good.
 */
export class TextTable {
  readonly #texts: string[] = ['']
  readonly #numbers = new Map<string, number>([['', EMPTY_TEXT]])
  /** Numbers of texts by the hash of their bytes. */
  #slots = new Int32Array(FIRST_SLOTS)
  /** By number: the hash, and where the bytes end; they stand one behind the other. */
  readonly #hashes: number[] = [0]
  readonly #ends: number[] = [0]
  #bytes = Buffer.allocUnsafeSlow(16_384)
  #sealed = 1

  get size(): number {
    return this.#texts.length
  }

  text(number: number): string {
    return this.#texts[number] ?? ''
  }

  /** The number of a text in UTF-8, from `start` to before `end`. */
  ofBytes(bytes: Uint8Array, start: number, end: number): number {
    if (start === end) return EMPTY_TEXT
    let hash = FNV_OFFSET
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), FNV_PRIME)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] ?? FREE
      if (number === FREE) return this.#append(bytes.subarray(start, end), hash, slot)
      if (this.#hashes[number] === hash && this.#isAt(number, bytes, start, end)) return number
    }
  }

  ofText(text: string): number {
    const number = this.#numbers.get(text)
    if (number !== undefined) return number
    const bytes = Buffer.from(text)
    return this.ofBytes(bytes, 0, bytes.length)
  }

  /** Keeps the texts so far from being forgotten. */
  seal(): void {
    this.#sealed = this.size
  }

  /** Forgets all texts but the sealed ones. */
  forget(): void {
    for (let i = this.#sealed; i < this.size; i++) this.#numbers.delete(this.text(i))
    this.#texts.length = this.#sealed
    this.#hashes.length = this.#sealed
    this.#ends.length = this.#sealed
    this.#place(FIRST_SLOTS)
  }

  #isAt(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#ends[number - 1] ?? 0
    if ((this.#ends[number] ?? 0) - from !== end - start) return false
    for (let i = 0; i < end - start; i++) {
      if (this.#bytes[from + i] !== bytes[start + i]) return false
    }
    return true
  }

  #append(bytes: Uint8Array, hash: number, slot: number): number {
    const number = this.size
    const from = this.#ends[number - 1] ?? 0
    const to = from + bytes.length
    if (to > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(to, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, from)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, from)
    const text = this.#bytes.toString('utf8', from, to)
    this.#texts.push(text)
    this.#numbers.set(text, number)
    this.#hashes.push(hash)
    this.#ends.push(to)
    this.#slots[slot] = number
    if (this.size * 2 > this.#slots.length) this.#place(this.#slots.length * 2)
    return number
  }

  /** Puts all numbers into a table of so many slots, or more where they need more. */
  #place(slots: number): void {
    let length = slots
    while (this.size * 2 > length) length *= 2
    this.#slots = new Int32Array(length)
    const mask = length - 1
    for (let number = 1; number < this.size; number++) {
      let slot = (this.#hashes[number] ?? 0) & mask
      while (this.#slots[slot] !== FREE) slot = (slot + 1) & mask
      this.#slots[slot] = number
    }
  }
}
