import { z } from 'zod'

/**
 * What migrations become on a cluster of ClickHouse: replicated tables on every server, and a database
 * beside them that reads all shards at once.
 */

/** Where the cluster is named. */
export const clusterVariables = {
  SPANMETER_CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[a-zA-Z_]\w*$/, 'must be a plain identifier')
    .optional()
    .describe(
      'Cluster, as ClickHouse knows it (remote_servers), whose servers all get the tables, replicated. Unset: one server.',
    ),
} as const

/** How long replicas remember the tokens of inserts: longer than any pause of a worker. */
const TOKENS_KEPT_SECONDS = 7 * 86_400

const NAMED =
  /^(?:CREATE DATABASE IF NOT EXISTS \w+|CREATE (?:TABLE|VIEW|MATERIALIZED VIEW) IF NOT EXISTS \w+\.\w+|ALTER TABLE \w+\.\w+)/
const KEPT = /^CREATE TABLE IF NOT EXISTS \w+\.(\w+)/
const NOTHING_KEPT = /\bENGINE = Null\b/

/**
 * A statement as it is run for a whole cluster: on every server of it, with the replicated kind of
 * each engine. Where replicas meet in Keeper is the servers' setting (`default_replica_path`).
 */
export function onCluster(statement: string, cluster: string): string {
  return statement
    .replace(NAMED, `$& ON CLUSTER ${cluster}`)
    .replace(/\bENGINE = (\w*)MergeTree\b/, 'ENGINE = Replicated$1MergeTree')
    .replace(
      /\bnon_replicated_deduplication_window\b/,
      `replicated_deduplication_window_seconds = ${TOKENS_KEPT_SECONDS}, replicated_deduplication_window`,
    )
}

/** Name of the database that reads all shards. */
export function readingDatabase(database: string): string {
  return `${database}_all`
}

/** Tables that keep rows, by the statements that make them. */
export function tablesThatKeep(statements: readonly string[]): readonly string[] {
  return statements.flatMap((statement) =>
    NOTHING_KEPT.test(statement) ? [] : (KEPT.exec(statement)?.[1] ?? []),
  )
}

/** Whether a statement makes a view that people ask. Views that feed rollups belong to each shard. */
export function isView(statement: string): boolean {
  return statement.startsWith('CREATE VIEW ')
}
