-- Model calls per day (UTC) by what objectives and budgets are kept for. Answers questions over weeks: what is
-- left of a month's error budget (A7), what was spent this month (M2). Views read it for whole days, and hours
-- and minutes for what is left at both ends of a window.
-- Fewer dimensions than requests_by_model_1h, so that a month is thousands of rows where that has millions.
-- cancelled is the part of errors that is neither good nor bad. duration_buckets are those of
-- histograms_by_model_1m. Rows of other kinds are there for what they cost alone.
CREATE TABLE IF NOT EXISTS ${DATABASE}.calls_by_feature_1d
(
    tenant LowCardinality(String),
    time DateTime('UTC'),
    kind LowCardinality(String),
    model LowCardinality(String),
    service LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    requests SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    cancelled SimpleAggregateFunction(sum, UInt64),
    unpriced SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 12)),
    timed SimpleAggregateFunction(sum, UInt64),
    duration_buckets SimpleAggregateFunction(sumMap, Map(UInt32, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toStartOfMonth(time)
ORDER BY (tenant, time, kind, model, service, feature, environment)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.calls_by_feature_1d_mv TO ${DATABASE}.calls_by_feature_1d AS
SELECT
    tenant,
    toDateTime(toStartOfDay(minutes.time, 'UTC'), 'UTC') AS time,
    kind,
    model,
    service,
    feature,
    environment,
    sumIf(minutes.requests, kind = 'llm') AS requests,
    sumIf(minutes.errors, kind = 'llm') AS errors,
    sum(minutes.unpriced) AS unpriced,
    sum(minutes.cost_usd) AS cost_usd
FROM ${DATABASE}.requests_by_model_1m AS minutes
WHERE kind = 'llm' OR minutes.cost_usd != 0 OR minutes.unpriced != 0
GROUP BY tenant, time, kind, model, service, feature, environment;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.calls_by_feature_1d_cancelled_mv
TO ${DATABASE}.calls_by_feature_1d AS
SELECT
    tenant,
    toDateTime(toStartOfDay(minutes.time, 'UTC'), 'UTC') AS time,
    kind,
    model,
    service,
    feature,
    environment,
    sum(minutes.errors) AS cancelled
FROM ${DATABASE}.errors_by_type_1m AS minutes
WHERE kind = 'llm' AND error_type = 'cancelled'
GROUP BY tenant, time, kind, model, service, feature, environment;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.calls_by_feature_1d_durations_mv
TO ${DATABASE}.calls_by_feature_1d AS
SELECT
    tenant,
    toDateTime(toStartOfDay(minutes.time, 'UTC'), 'UTC') AS time,
    kind,
    model,
    service,
    feature,
    environment,
    sum(minutes.requests) AS timed,
    sumMap(minutes.duration_buckets) AS duration_buckets
FROM ${DATABASE}.histograms_by_model_1m AS minutes
WHERE kind = 'llm'
GROUP BY tenant, time, kind, model, service, feature, environment;
