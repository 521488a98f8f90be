/** Date, or date and time; without an offset it is UTC. */
const ISO_TIME =
  /^\d{4}-\d{2}-\d{2}(?<time>[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?<offset>Z|[+-]\d{2}:\d{2})?$/i
/** Times of spans are nanoseconds in 64 bits, which end in 2262. */
const FIRST_MS = 0
const LAST_MS = Date.UTC(2262, 0, 1)

/** Reads an ISO 8601 time or date; undefined for anything else, and for what no span can have. */
export function parseTime(text: string): number | undefined {
  const found = ISO_TIME.exec(text.trim())
  if (found === null) return undefined
  const { time, offset } = found.groups ?? {}
  if (time === undefined && offset !== undefined) return undefined
  const timeMs = Date.parse(
    time !== undefined && offset === undefined ? `${text.trim()}Z` : text.trim(),
  )
  if (!(timeMs >= FIRST_MS && timeMs <= LAST_MS)) return undefined
  // Date.parse takes February 30 for March 2.
  const dayOfMonth = new Date(Date.parse(text.trim().slice(0, 10))).getUTCDate()
  return dayOfMonth === Number(text.trim().slice(8, 10)) ? timeMs : undefined
}

/** Milliseconds since the epoch as ClickHouse reads a DateTime64(3). */
export function toDateTime64(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('T', ' ').replace('Z', '')
}
