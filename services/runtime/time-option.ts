import { InvalidArgumentError } from 'commander'
import { parseTime } from './iso-time.ts'

/** Reads a time that a person gives as an option; commander tells them what is wrong with it. */
export function readTime(text: string): number {
  const timeMs = parseTime(text)
  if (timeMs !== undefined) return timeMs
  throw new InvalidArgumentError(
    'It must be an ISO 8601 date or time, such as 2026-11-01 or 2026-11-01T08:30:00Z; without an offset it is UTC.',
  )
}
