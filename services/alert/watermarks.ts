import type { Progress } from './progress.ts'
import type { Source } from './series.ts'

/** How far one partition has come, and since when nothing has come from it. */
interface Reach {
  eventMs: number | undefined
  quietMs: number | undefined
}

interface SourceTime {
  partitions: number
  readonly reaches: Map<number, Reach>
  watermarkMs: number | undefined
}

export interface WatermarkOptions {
  /** How long after its event time a record may come and still be in time. */
  readonly allowedLatenessMs: number
  /** How long nothing came from a partition that says that it is quiet. */
  readonly idleMs: number
}

/** What is kept of a source, for a successor. */
export interface StoredTime {
  readonly source: Source
  readonly partitions: number
  readonly watermarkMs: number | null
  readonly reaches: readonly (readonly [number, number | null, number | null])[]
}

/**
 * Event time of each source: all records up to its watermark have come, but for late ones. It is the
 * lowest of the highest event times of its partitions, less the allowed lateness, and never goes
 * back. A quiet partition holds it back no further than to when it was last said to be quiet: what came
 * since may not be read yet. Where all are quiet, it follows the clock of those who say so. A source
 * that never had a record has no time.
 */
export class Watermarks {
  #options: WatermarkOptions
  readonly #sources = new Map<Source, SourceTime>()

  constructor(options: WatermarkOptions) {
    this.#options = options
  }

  /** Takes another lateness over; time does not go back by it. */
  configure(options: WatermarkOptions): void {
    this.#options = options
  }

  /** The watermark of a source, milliseconds since the epoch; undefined while it is not known. */
  of(source: Source): number | undefined {
    return this.#sources.get(source)?.watermarkMs
  }

  /** Takes note of how far a partition has come. */
  note({ source, partition, partitions, eventMs, quietMs }: Progress): void {
    const time = this.#sources.get(source) ?? {
      partitions,
      reaches: new Map<number, Reach>(),
      watermarkMs: undefined,
    }
    this.#sources.set(source, time)
    time.partitions = Math.max(time.partitions, partitions)
    const reach = time.reaches.get(partition) ?? { eventMs: undefined, quietMs: undefined }
    time.reaches.set(partition, reach)
    if (eventMs !== undefined) {
      reach.eventMs = Math.max(reach.eventMs ?? eventMs, eventMs)
      reach.quietMs = undefined
    }
    if (quietMs !== undefined) reach.quietMs = Math.max(reach.quietMs ?? quietMs, quietMs)
    this.#advance(time)
  }

  #advance(time: SourceTime): void {
    const reaches = [...time.reaches.values()]
    const isStarted = reaches.some(({ eventMs }) => eventMs !== undefined)
    if (!isStarted || time.reaches.size < time.partitions) return
    const { allowedLatenessMs, idleMs } = this.#options
    const isQuiet = reaches.every(({ quietMs }) => quietMs !== undefined)
    const reachMs = Math.min(
      ...reaches.map(({ quietMs, eventMs }) => quietMs ?? eventMs ?? Number.NEGATIVE_INFINITY),
    )
    const watermarkMs = reachMs - (isQuiet ? idleMs : 0) - allowedLatenessMs
    if (!Number.isFinite(watermarkMs)) return
    time.watermarkMs = Math.max(time.watermarkMs ?? watermarkMs, watermarkMs)
  }

  /** All that a successor needs. */
  stored(): readonly StoredTime[] {
    return [...this.#sources].map(([source, { partitions, watermarkMs, reaches }]) => ({
      source,
      partitions,
      watermarkMs: watermarkMs ?? null,
      reaches: [...reaches].map(
        ([partition, { eventMs, quietMs }]) =>
          [partition, eventMs ?? null, quietMs ?? null] as const,
      ),
    }))
  }

  /** Takes over what stored() gave. */
  restore(stored: readonly StoredTime[]): void {
    for (const { source, partitions, watermarkMs, reaches } of stored) {
      this.#sources.set(source, {
        partitions,
        watermarkMs: watermarkMs ?? undefined,
        reaches: new Map(
          reaches.map(([partition, eventMs, quietMs]) => [
            partition,
            { eventMs: eventMs ?? undefined, quietMs: quietMs ?? undefined },
          ]),
        ),
      })
    }
  }
}
