import { isAlphanumeric, isDigit } from './text-edges.ts'

/**
 * What a look at the bytes of a text finds, each a bit: a detector runs over a text only where a feature of its own is
 * there. A feature may be there without a match, and there is never a match without one of its features.
 */
export const HAS_AT = 1
/** Seven digits with nothing but separators between them. */
export const HAS_DIGITS = 2
/** Two letters, then two digits. */
export const HAS_LETTERS_AND_DIGITS = 4
/** Four numbers with dots between them. */
export const HAS_DOTTED_NUMBERS = 8
/** Two colons close to each other. */
export const HAS_COLONS = 16
export const HAS_SECRET = 32
export const HAS_TOKEN = 64
/** The first of the bits that patterns of the user's own take. */
export const FIRST_OWN_FEATURE = 128

/** A text that stands in every match of a detector, and the feature that it is. */
export interface Literal {
  readonly text: string
  readonly feature: number
}

/** Says which features the bytes of one string have. */
export type ScanFeatures = (bytes: Uint8Array, start: number, end: number) => number

const DIGIT = 1
const SEPARATOR = 2
const DOT = 3
const COLON = 4
const AT = 5
/** A bit beside the kind: literals are looked for around this byte, if the one in front fits, too. */
const RARE = 8
const PAIRS = 65_536

const MIN_DIGITS = 7
const MIN_DOTS = 3
/** Two colons with at most four digits of an IPv6 address between them. */
const MAX_COLON_DISTANCE = 5
const SEPARATORS = ' -()/\t'

interface Needle {
  readonly bytes: Buffer
  readonly offset: number
  readonly feature: number
}

/** Makes the scan. It takes one pass, and looks for each literal only around its rarest pair of bytes. */
export function createFeatureScan(literals: readonly Literal[]): ScanFeatures {
  const kinds = byteKinds()
  const pairs = new Uint8Array(PAIRS)
  const needles = new Map<number, Needle[]>()
  for (const { text, feature } of literals) {
    const bytes = Buffer.from(text)
    const offset = rarestPair(bytes)
    const byte = bytes[offset] ?? 0
    const pair = pairOf(bytes, offset)
    needles.set(pair, [...(needles.get(pair) ?? []), { bytes, offset, feature }])
    pairs[pair] = 1
    kinds[byte] = (kinds[byte] ?? 0) | RARE
  }
  const quiet = kinds.map((kind) => (kind === 0 || kind === SEPARATOR || kind === DOT ? 1 : 0))
  return (bytes, start, end) => {
    let features = 0
    let digits = 0
    let dots = 0
    let colon = -MAX_COLON_DISTANCE - 1
    for (let i = start; i < end; i++) {
      // Outside of a number nearly every byte says nothing.
      if (digits === 0) {
        while (i < end && quiet[bytes[i] ?? 0] === 1) i++
        if (i === end) break
      }
      let kind = kinds[bytes[i] ?? 0] ?? 0
      if (kind >= RARE) {
        const pair = pairOf(bytes, i)
        if (pairs[pair] === 1) {
          features |= findNeedles(needles.get(pair) ?? [], bytes, i, start, end)
        }
        kind &= RARE - 1
      }
      if (kind === DIGIT) {
        if (++digits === MIN_DIGITS) features |= HAS_DIGITS
        if (dots >= MIN_DOTS) features |= HAS_DOTTED_NUMBERS
        if (isDigit(bytes[i - 1] ?? 0) && followsLetters(bytes, i - 2, start)) {
          features |= HAS_LETTERS_AND_DIGITS
        }
        continue
      }
      if (kind === DOT) {
        dots++
        continue
      }
      dots = 0
      if (kind === SEPARATOR) continue
      digits = 0
      if (kind === AT) features |= HAS_AT
      if (kind !== COLON) continue
      if (i - colon <= MAX_COLON_DISTANCE) features |= HAS_COLONS
      colon = i
    }
    return features
  }
}

/** Whether two letters stand up to `last`. */
function followsLetters(bytes: Uint8Array, last: number, start: number): boolean {
  if (last - 1 < start) return false
  const [a, b] = [bytes[last - 1] ?? 0, bytes[last] ?? 0]
  return isAlphanumeric(a) && !isDigit(a) && isAlphanumeric(b) && !isDigit(b)
}

function findNeedles(
  needles: readonly Needle[],
  source: Uint8Array,
  at: number,
  start: number,
  end: number,
): number {
  let features = 0
  for (const { bytes, offset, feature } of needles) {
    const from = at - offset
    if (from < start || from + bytes.length > end) continue
    let same = 0
    while (same < bytes.length && source[from + same] === bytes[same]) same++
    if (same === bytes.length) features |= feature
  }
  return features
}

function byteKinds(): Uint8Array {
  const kinds = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) {
    // Separators beyond ASCII, such as a no-break space, are several such bytes.
    if (byte >= 0x80 || SEPARATORS.includes(String.fromCharCode(byte))) kinds[byte] = SEPARATOR
    if (isDigit(byte)) kinds[byte] = DIGIT
  }
  kinds[0x2e] = DOT
  kinds[0x3a] = COLON
  kinds[0x40] = AT
  return kinds
}

function pairOf(bytes: Uint8Array, second: number): number {
  return ((bytes[second - 1] ?? 0) << 8) | (bytes[second] ?? 0)
}

/** Where the second byte of a pair stands that texts of spans hold little of. Literals have two bytes or more. */
function rarestPair(bytes: Buffer): number {
  let best = 1
  for (let i = 2; i < bytes.length; i++) {
    if (frequency(bytes[i] ?? 0) < frequency(bytes[best] ?? 0)) best = i
  }
  return best
}

const LETTERS = 'jqxzvkwbypgfmduclhrsnioate'
const MARKS = '_-."/,: '

/** A rank: capitals and odd marks come first, then digits, usual marks and small letters. */
function frequency(byte: number): number {
  const text = String.fromCharCode(byte)
  const mark = MARKS.indexOf(text)
  if (mark >= 0) return 10 + mark * 3
  const letter = LETTERS.indexOf(text)
  if (letter >= 0) return 15 + letter
  if (isDigit(byte)) return 12
  return isAlphanumeric(byte) ? 1 : 0
}
