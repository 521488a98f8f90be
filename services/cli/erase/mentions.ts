/** How a name is looked for: as a word of its own, or anywhere. Sources are read by RE2 as by JavaScript. */
export interface Mentions {
  readonly word: string
  readonly anywhere: string
  /** Whether a text names the person, as a word of its own. */
  readonly inText: (text: string) => boolean
  /** Whether bytes of whatever kind hold the name: before and after it anything may stand. */
  readonly inBytes: (bytes: Buffer) => boolean
}

/** What may stand before a word: an escape ends in a letter or a digit too. */
const BEFORE = String.raw`(?:^|[^\p{L}\p{N}_]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[bfnrt])`
const AFTER = String.raw`(?:[^\p{L}\p{N}_]|$)`
const PLAIN = /^[A-Za-z0-9_]$/
const SYNTAX = /[\\^$.*+?()[\]{}|/]/

/**
 * Looks for a name as it is, and as JSON (within JSON, too), URLs and ClickHouse escape what it is made
 * of. A name that was changed otherwise, such as by Base64 or a hash, is not found.
 */
export function createMentions(name: string): Mentions {
  const anywhere = Array.from(name, charPattern).join('')
  const word = `${BEFORE}${anywhere}${AFTER}`
  const inText = new RegExp(word, 'u')
  // Each byte as a character of its own.
  const inBytes = new RegExp(
    Array.from(latin1(name), charPattern).join('') + `|${anywhereAscii(name)}`,
  )
  // What no encoding changes is looked for first, as most texts do not have it.
  const plain = longestPlain(name)
  return {
    word,
    anywhere,
    inText: (text) => text.includes(plain) && inText.test(text),
    inBytes: (bytes) => bytes.includes(plain) && inBytes.test(bytes.toString('latin1')),
  }
}

function longestPlain(name: string): string {
  const runs = name.split(/[^A-Za-z0-9_]+/)
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '')
}

function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** The name with all that is not ASCII escaped, as some encoders of JSON do. */
function anywhereAscii(name: string): string {
  return Array.from(name, (char) =>
    (char.codePointAt(0) ?? 0) < 128 ? charPattern(char) : unicodeEscape(char),
  ).join('')
}

function charPattern(char: string): string {
  if (PLAIN.test(char)) return char
  const quoted = SYNTAX.test(char) ? `\\${char}` : char
  return `(?:\\\\*${quoted}|${unicodeEscape(char)}|${percentEscape(char)})`
}

function unicodeEscape(char: string): string {
  return Array.from({ length: char.length }, (_, at) => {
    const unit = char.charCodeAt(at).toString(16).padStart(4, '0')
    return `\\\\+u${anyCase(unit)}`
  }).join('')
}

function percentEscape(char: string): string {
  return [...Buffer.from(char)]
    .map((byte) => `%${anyCase(byte.toString(16).padStart(2, '0'))}`)
    .join('')
}

function anyCase(hex: string): string {
  return hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}
