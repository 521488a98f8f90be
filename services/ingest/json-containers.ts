const MIN_CONTAINER_BYTES = 3

/**
 * Whether JSON holds more objects and arrays than `max`, without making any. JSON.parse makes about a
 * hundred bytes of each, however few bytes it was sent in.
 */
export function hasTooManyContainers(body: Buffer, max: number): boolean {
  // The usual request is too short for that, and need not be scanned.
  if (body.length < max * MIN_CONTAINER_BYTES) return false
  let containers = 0
  let isInString = false
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]
    if (byte === 0x22) isInString = !isInString
    else if (isInString) {
      // A backslash takes the byte behind it along, which may be a quote.
      if (byte === 0x5c) i++
    } else if (byte === 0x7b || byte === 0x5b) containers++
  }
  return containers > max
}
