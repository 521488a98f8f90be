/** Tells whether bytes begin with one of a fixed set of prefixes, and go on after it. */
export interface KeyPrefixes {
  match(buffer: Buffer, start: number, end: number): boolean
}

/** Builds the set: prefixes by their first byte, which rules nearly all keys out. */
export function createKeyPrefixes(prefixes: readonly string[]): KeyPrefixes {
  const byFirst = new Map<number, Buffer[]>()
  const isFirst = new Uint8Array(256)
  for (const prefix of prefixes.map((text) => Buffer.from(text))) {
    const first = prefix[0] ?? 0
    isFirst[first] = 1
    byFirst.set(first, [...(byFirst.get(first) ?? []), prefix])
  }
  return {
    match(buffer, start, end) {
      const first = buffer[start] ?? 0
      if (isFirst[first] === 0) return false
      for (const prefix of byFirst.get(first) ?? []) {
        if (end - start > prefix.length && startsWith(buffer, start, prefix)) return true
      }
      return false
    },
  }
}

function startsWith(buffer: Buffer, start: number, prefix: Buffer): boolean {
  for (let at = 1; at < prefix.length; at++) if (buffer[start + at] !== prefix[at]) return false
  return true
}
