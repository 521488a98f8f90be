-- What workers could not read, with the original bytes, so that it can be looked at and sent again:
-- which worker refuses what, since when, and why. Sorted by worker and reason because a person looks
-- at one cause at a time. Expires with content, for the payload may hold some.
CREATE TABLE IF NOT EXISTS ${DATABASE}.dead_letters_landing
(
    time_unix_nano Int64,
    worker String,
    source String,
    partition Int32,
    offset Int64,
    `index` Int32,
    reason String,
    detail String,
    format String,
    payload String
)
ENGINE = Null;

CREATE TABLE IF NOT EXISTS ${DATABASE}.dead_letters
(
    time DateTime64(9, 'UTC'),
    worker LowCardinality(String),
    source LowCardinality(String),
    partition Int32,
    offset Int64,
    `index` Int32,
    reason LowCardinality(String),
    detail String,
    format LowCardinality(String),
    payload String CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (worker, reason, time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.dead_letters_mv TO ${DATABASE}.dead_letters AS
SELECT
    * EXCEPT (time_unix_nano),
    fromUnixTimestamp64Nano(time_unix_nano, 'UTC') AS time
FROM ${DATABASE}.dead_letters_landing;
