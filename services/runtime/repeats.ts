import { type Checkpoint, parseSource, REQUEST_HEADER, SOURCE_HEADER } from './checkpoint.ts'
import type { KafkaRecord } from './records.ts'

/** How far back requests are recognised, and how many of them. */
export interface RepeatLimits {
  readonly horizonMs: number
  readonly maxRequests: number
}

interface Seen {
  readonly offset: bigint
  readonly timeMs: number
}

/**
 * Tells, for one partition, which records are repeats: written again by a worker that had stopped
 * between writing and committing, or made from a request that its client sent again. Decisions
 * depend on the records alone, so a second pass over them decides as the first did.
 *
 * A request counts as sent again when a record before it, no further back than the horizon, has its
 * hash, be it a repeat itself; times are the records' own. So what must be remembered is the last
 * record of each hash, and reading the log again from the oldest of those rebuilds it.
 */
export class Repeats {
  readonly #limits: RepeatLimits
  readonly #sources: Map<string, { offset: bigint; part: number }>
  /** Last record of each request, oldest first. */
  readonly #requests = new Map<string, Seen>()

  constructor(limits: RepeatLimits, checkpoint: Checkpoint) {
    this.#limits = limits
    this.#sources = new Map(checkpoint.sources)
  }

  /** Takes note of a record that was decided before; for rebuilding the memory of requests. */
  remember(record: KafkaRecord): void {
    const request = record.headers[REQUEST_HEADER]
    if (request === undefined) return
    const seen = this.#requests.get(request)
    if (seen === undefined || seen.offset < record.offset) this.#wasSeen(request, record)
  }

  /** Whether the record is a repeat; takes note of it. */
  isRepeat(record: KafkaRecord): boolean {
    const header = record.headers[SOURCE_HEADER]
    if (header !== undefined) return this.#isOldSource(header)
    const request = record.headers[REQUEST_HEADER]
    return request !== undefined && this.#wasSeen(request, record)
  }

  /** What a successor needs, once every record so far is done with. */
  checkpoint(): Checkpoint {
    const oldest = this.#requests.values().next()
    return {
      sources: new Map(this.#sources),
      ...(oldest.done === true ? {} : { rememberFrom: oldest.value.offset }),
    }
  }

  #isOldSource(header: string): boolean {
    const position = parseSource(header)
    if (position === undefined) return false
    const { source, offset, part } = position
    const last = this.#sources.get(source)
    if (
      last !== undefined &&
      (offset < last.offset || (offset === last.offset && part <= last.part))
    ) {
      return true
    }
    this.#sources.set(source, { offset, part })
    return false
  }

  #wasSeen(request: string, { offset, timeMs }: KafkaRecord): boolean {
    const seen = this.#requests.get(request)
    this.#requests.delete(request)
    this.#requests.set(request, { offset, timeMs })
    for (const [oldest, { timeMs: then }] of this.#requests) {
      const expired = timeMs - then > this.#limits.horizonMs
      if (!expired && this.#requests.size <= this.#limits.maxRequests) break
      this.#requests.delete(oldest)
    }
    return seen !== undefined && timeMs - seen.timeMs <= this.#limits.horizonMs
  }
}
