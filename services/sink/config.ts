import {
  commaList,
  commonVariables,
  type CommonConfig,
  ConfigError,
  type Env,
  parseCommonConfig,
  readVariables,
  wholeNumber,
} from '#runtime/config.ts'

const MIB = 1024 * 1024

/** The variables that sink reads beside the common ones. */
export const sinkVariables = {
  SPANMETER_SINK_MAX_BATCH_BYTES: wholeNumber(64 * 1_024, 256 * MIB)
    .default(30 * MIB)
    .describe('Most bytes of one insert into ClickHouse; about 600 to a span.'),
  SPANMETER_SINK_MIN_BATCH_BYTES: wholeNumber(1, 256 * MIB)
    .default(20 * MIB)
    .describe('An insert waits for this many bytes, or for SPANMETER_SINK_MAX_WAIT_MS.'),
  SPANMETER_SINK_MAX_WAIT_MS: wholeNumber(10, 60_000)
    .default(1_000)
    .describe('Longest time that an insert waits for more spans, in milliseconds.'),
  SPANMETER_CLICKHOUSE_SHARD_URLS: commaList()
    .optional()
    .describe(
      'HTTP addresses of the shards, always in the same order: a partition goes to the shard of its number, modulo the shards. Unset: SPANMETER_CLICKHOUSE_URL alone.',
    ),
  SPANMETER_SINK_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9466)
    .describe('Port of /metrics and /healthz of sink; 0 for any free one.'),
} as const

/** Settings of sink. */
export interface SinkConfig extends CommonConfig {
  readonly metricsPort: number
  /** One at least. */
  readonly shardUrls: readonly string[]
  readonly maxBatchBytes: number
  readonly minBatchBytes: number
  readonly maxWaitMs: number
}

/** Reads sink's configuration. Throws ConfigError naming every bad variable. */
export function parseConfig(env: Env): SinkConfig {
  const v = readVariables({ ...commonVariables, ...sinkVariables }, env)
  const common = parseCommonConfig(env)
  return {
    ...common,
    shardUrls: shardUrls(v.SPANMETER_CLICKHOUSE_SHARD_URLS, common.clickhouse.url),
    metricsPort: v.SPANMETER_SINK_METRICS_PORT,
    maxBatchBytes: v.SPANMETER_SINK_MAX_BATCH_BYTES,
    minBatchBytes: v.SPANMETER_SINK_MIN_BATCH_BYTES,
    maxWaitMs: v.SPANMETER_SINK_MAX_WAIT_MS,
  }
}

/** Throws ConfigError naming what is no address. */
function shardUrls(given: readonly string[] | undefined, only: string): readonly string[] {
  if (given === undefined || given.length === 0) return [only]
  const bad = given.filter((url) => !/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
  if (bad.length === 0) return given
  throw new ConfigError(
    `Configuration is not valid:\n  SPANMETER_CLICKHOUSE_SHARD_URLS=${given.join(',')}: ${bad.join(', ')} ` +
      'is no http:// or https:// address',
  )
}
