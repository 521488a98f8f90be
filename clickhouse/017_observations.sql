-- Where what workers find out about the pipeline arrives. As spans_landing does it keeps nothing, and its
-- columns are the fields of schemas/observation.avsc.
CREATE TABLE IF NOT EXISTS ${DATABASE}.observations_landing
(
    time_unix_nano Int64,
    worker String,
    observation String,
    `group` String,
    topic String,
    value Float64
)
ENGINE = Null;

-- What each alert worker found every ten seconds: how many records each consumer group still has to read
-- of its topic (lag), how many seconds event time lies behind the clock (watermark_lag), how old the price
-- list is in days (price_list_age), how many aggregates found no room for a group of their own since the
-- time before (groups_overflow). Answers: who is behind, since when, and is it getting worse. Sorted by
-- observation and time because a panel draws one figure over a range of time.
-- Several workers find the same lag and the same age: take the greatest or the mean, never the sum. A
-- watermark is each worker's own, so that the greatest is that of the last to know; groups_overflow adds up.
CREATE TABLE IF NOT EXISTS ${DATABASE}.observations
(
    observation LowCardinality(String),
    time DateTime64(9, 'UTC'),
    worker LowCardinality(String),
    `group` LowCardinality(String),
    topic LowCardinality(String),
    value Float64,
    landed_time DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (observation, time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.observations_mv TO ${DATABASE}.observations AS
SELECT
    * EXCEPT (time_unix_nano),
    fromUnixTimestamp64Nano(time_unix_nano, 'UTC') AS time,
    nowInBlock64(3, 'UTC') AS landed_time
FROM ${DATABASE}.observations_landing;
