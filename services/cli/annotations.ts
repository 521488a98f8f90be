import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { fillVariables } from '#runtime/migrations.ts'
import { readQuery } from '#runtime/queries.ts'

/** What an annotation may tell of. */
export const annotationKinds = ['deploy', 'config', 'incident', 'note'] as const

/** Something that people did, to be laid over graphs. */
export interface Annotation {
  /** Names it for good: what is written again with the same id has no effect. */
  readonly id: string
  readonly kind: string
  /** ISO 8601, event time. */
  readonly time: string
  /** Null for a moment. */
  readonly endTime: string | null
  /** Empty for all tenants. */
  readonly tenant: string
  /** Empty for all environments. */
  readonly environment: string
  readonly title: string
  readonly text: string
  readonly tags: Readonly<Record<string, string>>
  readonly author: string
}

interface AnnotationRow extends Omit<Annotation, 'time' | 'endTime'> {
  readonly time_ms: string
  readonly end_time_ms: string | null
}

/**
 * Writes an annotation and gives what is there under its id: another one, where the id was taken.
 * Repeating it has no effect.
 */
export async function writeAnnotation(
  clickhouse: ClickHouse,
  annotation: Annotation,
): Promise<Annotation | undefined> {
  const find = () => readAnnotations(clickhouse, { id: annotation.id, tenant: '', limit: 1 })
  // ClickHouse knows the names of the newest 10,000 inserts alone.
  const [earlier] = await find()
  if (earlier !== undefined) return earlier
  const { time, endTime, tags, ...texts } = annotation
  const file = 'queries/annotation_insert.sql'
  const sql = fillVariables(
    readQuery('annotation_insert'),
    { DATABASE: clickhouse.database },
    file,
  ).replace(/;\s*$/, '')
  await clickhouse.command(sql, {
    ...texts,
    time: toDateTime64(Date.parse(time)),
    end_time: endTime ?? '',
    tag_names: Object.keys(tags),
    tag_values: Object.values(tags),
  })
  const [written] = await find()
  return written
}

/** The annotation of an id, or, where it is empty, the newest ones by event time. */
export async function readAnnotations(
  clickhouse: ClickHouse,
  asked: { readonly id: string; readonly tenant: string; readonly limit: number },
): Promise<readonly Annotation[]> {
  const rows = await clickhouse.query<AnnotationRow>(readQuery('annotations'), { ...asked })
  return rows.map(({ time_ms: timeMs, end_time_ms: endTimeMs, ...row }) => ({
    ...row,
    time: toIso(timeMs),
    endTime: endTimeMs === null ? null : toIso(endTimeMs),
  }))
}

function toIso(timeMs: string): string {
  return new Date(Number(timeMs)).toISOString()
}
