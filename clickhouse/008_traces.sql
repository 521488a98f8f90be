-- One row per trace and hour of its spans' start. Answers: which traces were slowest, dearest or failed
-- in a range of time, and what a trace was in total (M1, M2, M5). Sorted by tenant and hour, so that
-- 'the slowest of the last hour' reads one hour; a trace is found by the skip index on its id.
-- trace_summaries merges the rows of a trace that several inserts, or two hours, have left; bound it
-- by trace_id. For a range of time read the table as queries/slowest_traces.sql does.
-- Tokens and cost are those of the calls themselves: what an agent's span repeats of the calls below it
-- (nested, not_applicable) is not added again.
-- The root is the span without a parent; user and session may stand on any span.
CREATE TABLE IF NOT EXISTS ${DATABASE}.traces
(
    tenant LowCardinality(String),
    hour DateTime('UTC'),
    trace_id String,
    start_time SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    end_time SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
    spans SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    llm_calls SimpleAggregateFunction(sum, UInt64),
    unpriced SimpleAggregateFunction(sum, Int64),
    input_tokens SimpleAggregateFunction(sum, Int64),
    output_tokens SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 12)),
    root_name SimpleAggregateFunction(max, String),
    root_service SimpleAggregateFunction(max, String),
    root_endpoint SimpleAggregateFunction(max, String),
    user SimpleAggregateFunction(max, String),
    session SimpleAggregateFunction(max, String),
    first_error AggregateFunction(argMin, String, Int64),
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(hour)
ORDER BY (tenant, hour, trace_id)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.traces_mv TO ${DATABASE}.traces AS
WITH price_status NOT IN ('not_applicable', 'nested') AS is_counted
SELECT
    tenant,
    toDateTime(intDiv(start_time_unix_nano, 3600000000000) * 3600, 'UTC') AS hour,
    trace_id,
    fromUnixTimestamp64Nano(min(start_time_unix_nano), 'UTC') AS start_time,
    fromUnixTimestamp64Nano(max(start_time_unix_nano + duration_nano), 'UTC') AS end_time,
    count() AS spans,
    countIf(error_type != '') AS errors,
    countIf(kind = 'llm') AS llm_calls,
    countIf(price_status = 'unpriced') AS unpriced,
    ifNull(sumIf(landing.input_tokens, is_counted), 0) AS input_tokens,
    ifNull(sumIf(landing.output_tokens, is_counted), 0) AS output_tokens,
    CAST(ifNull(sum(cost_pico_usd), 0) AS Decimal(38, 0)) * toDecimal128('0.000000000001', 12) AS cost_usd,
    maxIf(name, parent_span_id = '') AS root_name,
    maxIf(service, parent_span_id = '') AS root_service,
    maxIf(endpoint, parent_span_id = '') AS root_endpoint,
    max(landing.user) AS user,
    max(landing.session) AS session,
    argMinStateIf(error_type, start_time_unix_nano, error_type != '') AS first_error
FROM ${DATABASE}.spans_landing AS landing
GROUP BY tenant, hour, trace_id;

CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_summaries AS
SELECT
    tenant,
    trace_id,
    min(parts.start_time) AS start_time,
    max(parts.end_time) AS end_time,
    (toUnixTimestamp64Nano(max(parts.end_time)) - toUnixTimestamp64Nano(min(parts.start_time))) / 1000000 AS duration_ms,
    sum(parts.spans) AS spans,
    sum(parts.errors) AS errors,
    sum(parts.llm_calls) AS llm_calls,
    sum(parts.unpriced) AS unpriced,
    sum(parts.input_tokens) AS input_tokens,
    sum(parts.output_tokens) AS output_tokens,
    sum(parts.cost_usd) AS cost_usd,
    max(parts.root_name) AS root_name,
    max(parts.root_service) AS root_service,
    max(parts.root_endpoint) AS root_endpoint,
    max(parts.user) AS user,
    max(parts.session) AS session,
    argMinMerge(parts.first_error) AS first_error_type
FROM ${DATABASE}.traces AS parts
GROUP BY tenant, trace_id;
