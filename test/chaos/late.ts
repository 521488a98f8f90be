import { parseConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import type { Progress } from './monitor.ts'
import type { Accepted } from './producers.ts'
import { LATE_MS } from './report.ts'

/** About how many spans landed long after they were taken, if they land in the order of being taken. */
export function lateSpans(accepted: readonly Accepted[], seen: readonly Progress[]): number {
  const { conventions, transcode: limits } = parseConfig({})
  const transcode = createTranscoder(conventions, limits)
  const taken = new Set<Buffer>()
  let total = 0
  let late = 0
  for (const { of, body, takenMs } of accepted.toSorted((a, b) => a.takenMs - b.takenMs)) {
    if (of === 'scores' || taken.has(body)) continue
    taken.add(body)
    const { spans } = transcode(body, 0)
    total += spans
    const landed = seen.find((one) => one.landed >= total)
    if (landed !== undefined && landed.atMs - takenMs > LATE_MS) late += spans
  }
  return late
}
