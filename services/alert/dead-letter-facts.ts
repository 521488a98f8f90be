import type { DeadLetter } from '#schemas/items.ts'
import type { Row } from './facts.ts'
import { msOfNanos } from './facts-time.ts'

/** What series count of a dead letter: that it is there. */
export function deadLetterRow(letter: DeadLetter): Row {
  const { time_unix_nano, worker, source, reason, format } = letter
  return {
    eventMs: msOfNanos(time_unix_nano),
    traceId: '',
    texts: { worker, source, reason, format },
    values: {},
  }
}
