-- Prompts, completions and other content of the spans that enrich chose to keep, apart from spans so
-- that it can expire early and be granted apart. Answers: what was said in this span or trace (T6).
-- Sorted by trace and span because that is all anyone asks by; a partition is a day, what expires.
CREATE TABLE IF NOT EXISTS ${DATABASE}.span_content
(
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    start_time DateTime64(9, 'UTC'),
    prompt String CODEC(ZSTD(1)),
    completion String CODEC(ZSTD(1)),
    content Map(String, String) CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(start_time)
ORDER BY (trace_id, span_id)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.span_content_mv TO ${DATABASE}.span_content AS
SELECT
    tenant,
    trace_id,
    span_id,
    fromUnixTimestamp64Nano(start_time_unix_nano, 'UTC') AS start_time,
    prompt,
    completion,
    content
FROM ${DATABASE}.spans_landing
WHERE content_kept AND (prompt != '' OR completion != '' OR notEmpty(content));
