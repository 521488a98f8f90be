-- What the pipeline landed, per minute of landing, not of the spans' own time. Answers: how many spans and
-- inserts a minute, and how old spans are when they can be read (O2, goal I10).
-- freshness_ms is a sketch of the milliseconds from receiving a span to landing it, with a relative error
-- of 1 % at most; read it with quantilesDDMerge(0.01, …). slowest_ms is the exact worst.
-- It has no tenants, because the minute is one row: it is about the pipeline, for those who run it.
-- A span that was received later than now, by a clock that is wrong, counts as fresh (0).
CREATE TABLE IF NOT EXISTS ${DATABASE}.landings_1m
(
    time DateTime('UTC'),
    spans SimpleAggregateFunction(sum, UInt64),
    inserts SimpleAggregateFunction(sum, UInt64),
    freshness_ms AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64),
    slowest_ms SimpleAggregateFunction(max, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY time
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.landings_1m_mv TO ${DATABASE}.landings_1m AS
WITH
    nowInBlock64(9, 'UTC') AS landed_time,
    greatest(0, toUnixTimestamp64Nano(landed_time) - received_time_unix_nano) / 1000000 AS age_ms
SELECT
    toStartOfMinute(toDateTime(landed_time, 'UTC')) AS time,
    count() AS spans,
    -- An insert is one block.
    toUInt64(1) AS inserts,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(age_ms) AS freshness_ms,
    max(age_ms) AS slowest_ms
FROM ${DATABASE}.spans_landing
GROUP BY time;
