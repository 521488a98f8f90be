import type { Source } from './series.ts'

/** Header of records of span.aggregates: how far the partition that they were made from has come. */
export const PROGRESS_HEADER = 'progress'

/** How far one partition of one source has come in event time. */
export interface Progress {
  readonly source: Source
  readonly partition: number
  /** Partitions of the source; time is known once all of them were heard of. */
  readonly partitions: number
  /** Highest event time in the run of records, milliseconds; undefined for a run without any … */
  readonly eventMs: number | undefined
  /** … or the time up to which nothing has come for a while, though all was read. */
  readonly quietMs: number | undefined
}

const SOURCES: readonly Source[] = ['spans', 'evaluations', 'dead_letters', 'system']
const NONE = '-'

/** Text for a Progress. */
export function formatProgress(progress: Progress): string {
  const { source, partition, partitions, eventMs, quietMs } = progress
  return [source, partition, partitions, eventMs ?? NONE, quietMs ?? NONE].join('/')
}

/** Reads formatProgress's text; undefined for anything else. */
export function parseProgress(text: string): Progress | undefined {
  const [name, ...numbers] = text.split('/')
  const source = SOURCES.find((known) => known === name)
  const [partition, partitions, eventMs, quietMs] = numbers.map((part) =>
    part === NONE ? undefined : Number(part),
  )
  if (source === undefined || partition === undefined || partitions === undefined) return undefined
  const isWhole = [partition, partitions, eventMs ?? 0, quietMs ?? 0].every(Number.isSafeInteger)
  return isWhole && numbers.length === 4
    ? { source, partition, partitions, eventMs, quietMs }
    : undefined
}
