import type { QueryParams } from '#runtime/clickhouse.ts'
import { createMentions, type Mentions } from './mentions.ts'

/** Whose data is to be erased. */
export interface Person {
  readonly user: string
  /** Undefined for all tenants. */
  readonly tenant: string | undefined
  readonly mentions: Mentions
  /** What ClickHouse makes of the name, so that no statement has to name the person. */
  readonly hash: string
}

/** A person by their name and its hash. */
export function createPerson(user: string, tenant: string | undefined, hash: string): Person {
  return { user, tenant, hash, mentions: createMentions(user) }
}

/** What most statements of clickhouse/queries/erase_*.sql take. */
export function personParams({ hash, tenant }: Person): QueryParams {
  return { hash, tenant: tenant ?? '', every: tenant === undefined }
}
