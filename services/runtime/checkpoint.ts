import { z } from 'zod'

/**
 * Who wrote a record first: the number of the input that it was made from. A worker that turns
 * records into records puts it in a header; a reader drops what is not above the last it has seen
 * of that source. So a record that is written again is never counted twice.
 */
export interface SourcePosition {
  /** Topic and partition of the input, `topic/partition`. */
  readonly source: string
  readonly offset: bigint
  /** An input too large for one record is cut in parts, numbered from 0. */
  readonly part: number
}

/** Header that carries a SourcePosition. */
export const SOURCE_HEADER = 'source'
/** Header that carries the hash of the request a record was made from, and the part's number. */
export const REQUEST_HEADER = 'request'

/** What a reader must remember of a partition to go on from an offset as if it had never stopped. */
export interface Checkpoint {
  /** Last position seen of each source. */
  readonly sources: ReadonlyMap<string, { readonly offset: bigint; readonly part: number }>
  /** Last offset of an insert that may or may not have happened; it must be repeated as it was. */
  readonly pendingTo?: bigint
  /** Oldest record that still matters to recognise requests sent again. */
  readonly rememberFrom?: bigint
}

/** Text for a SourcePosition. */
export function formatSource({ source, offset, part }: SourcePosition): string {
  return `${source}/${offset}/${part}`
}

/** Reads formatSource's text; undefined for anything else. */
export function parseSource(text: string): SourcePosition | undefined {
  const found = /^(.+\/\d+)\/(\d+)\/(\d+)$/.exec(text)
  if (found === null) return undefined
  const [, source = '', offset = '0', part = '0'] = found
  return { source, offset: BigInt(offset), part: Number(part) }
}

const stored = z.object({
  v: z.literal(1),
  s: z.record(z.string(), z.string().regex(/^\d+\/\d+$/)).default({}),
  p: z.string().regex(/^\d+$/).optional(),
  r: z.string().regex(/^\d+$/).optional(),
})

/** A checkpoint as the metadata text of an offset commit: short JSON, as Kafka takes 4 KiB of it. */
export function encodeCheckpoint({ sources, pendingTo, rememberFrom }: Checkpoint): string {
  const s = Object.fromEntries(
    [...sources].map(([source, { offset, part }]) => [source, `${offset}/${part}`]),
  )
  return JSON.stringify({
    v: 1,
    s,
    ...(pendingTo === undefined ? {} : { p: String(pendingTo) }),
    ...(rememberFrom === undefined ? {} : { r: String(rememberFrom) }),
  })
}

/** Reads encodeCheckpoint's text; the empty text is an empty checkpoint. Throws for anything else. */
export function decodeCheckpoint(text: string): Checkpoint {
  if (text === '') return { sources: new Map() }
  const { s, p, r } = stored.parse(JSON.parse(text))
  const sources = new Map(
    Object.entries(s).map(([source, position]) => {
      const [offset = '0', part = '0'] = position.split('/')
      return [source, { offset: BigInt(offset), part: Number(part) }] as const
    }),
  )
  return {
    sources,
    ...(p === undefined ? {} : { pendingTo: BigInt(p) }),
    ...(r === undefined ? {} : { rememberFrom: BigInt(r) }),
  }
}
