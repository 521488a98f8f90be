-- Every span, without its content. Answers what rollups cannot: the spans of one trace, the slow or
-- failed calls behind a point on a graph (M1, M5), cost per request (M2), ad-hoc splits (M4).
-- Sorted by tenant and time because every reader is bound to a tenant or a time range, most to both;
-- a trace is found by the skip index on trace_id. A partition is a day: what expires, and what an
-- operator's replay rebuilds.
-- Small parts are compact (one data file, not sixty), parts carry no column statistics, and a merge
-- takes ten parts at least: with the defaults an insert and its merges cost the server twice as much.
-- cost_parts is kept as the JSON that it comes as: a column of lists doubled what an insert costs.
CREATE TABLE IF NOT EXISTS ${DATABASE}.spans
(
    tenant LowCardinality(String),
    start_time DateTime64(9, 'UTC'),
    duration_nano Int64,
    kind LowCardinality(String),
    service LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    operation LowCardinality(String),
    endpoint LowCardinality(String),
    team LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    cost_centre LowCardinality(String),
    user_tier LowCardinality(String),
    status LowCardinality(String),
    error_type LowCardinality(String),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_5m_tokens Nullable(Int64),
    cache_write_1h_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    input_audio_tokens Nullable(Int64),
    output_audio_tokens Nullable(Int64),
    input_image_tokens Nullable(Int64),
    output_image_tokens Nullable(Int64),
    web_searches Nullable(Int64),
    service_tier LowCardinality(String),
    reported_cost_usd Nullable(Decimal(18, 12)),
    time_to_first_token_nano Nullable(Int64),
    usage_rule LowCardinality(String),
    flags Array(LowCardinality(String)),
    cost_usd Nullable(Decimal(18, 12)),
    price_status LowCardinality(String),
    price_version LowCardinality(String),
    price_model LowCardinality(String),
    price_flags Array(LowCardinality(String)),
    cost_parts_json String,
    cost_parts Array(Tuple(part String, units Int64, unit_price String, cost_pico_usd Int64))
        ALIAS JSONExtract(cost_parts_json, 'Array(Tuple(part String, units Int64, unit_price String, cost_pico_usd Int64))'),
    trace_id String,
    span_id String,
    parent_span_id String,
    user String,
    session String,
    request_id String,
    response_id String,
    prompt_id LowCardinality(String),
    prompt_version LowCardinality(String),
    experiment LowCardinality(String),
    variant LowCardinality(String),
    domain LowCardinality(String),
    agent LowCardinality(String),
    tool LowCardinality(String),
    name LowCardinality(String),
    span_kind LowCardinality(String),
    streaming Nullable(Bool),
    temperature Nullable(Float64),
    top_p Nullable(Float64),
    max_tokens Nullable(Int64),
    status_message String,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    trace_state String,
    received_time DateTime64(9, 'UTC'),
    landed_time DateTime64(3, 'UTC'),
    events Array(Tuple(time_unix_nano Int64, name String, attributes Map(String, String))),
    links Array(Tuple(trace_id String, span_id String, attributes Map(String, String))),
    attributes Map(String, String),
    resource_attributes Map(String, String),
    content_kept Bool,
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(start_time)
ORDER BY (tenant, start_time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.spans_mv TO ${DATABASE}.spans AS
SELECT
    * EXCEPT (
        start_time_unix_nano, received_time_unix_nano, cost_pico_usd, reported_cost_pico_usd, cost_parts,
        prompt, completion, content
    ),
    fromUnixTimestamp64Nano(start_time_unix_nano, 'UTC') AS start_time,
    fromUnixTimestamp64Nano(received_time_unix_nano, 'UTC') AS received_time,
    cost_parts AS cost_parts_json,
    nowInBlock64(3, 'UTC') AS landed_time,
    CAST(cost_pico_usd AS Nullable(Decimal(18, 0))) * toDecimal64('0.000000000001', 12) AS cost_usd,
    CAST(reported_cost_pico_usd AS Nullable(Decimal(18, 0))) * toDecimal64('0.000000000001', 12) AS reported_cost_usd
FROM ${DATABASE}.spans_landing;
