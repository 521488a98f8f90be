-- Failed spans per minute by type. Answers errors by type (M5): rate limit, timeout, safety filter …
-- Sorted by tenant and time as requests_by_model_1m is, whose requests are the denominator of a rate.
CREATE TABLE IF NOT EXISTS ${DATABASE}.errors_by_type_1m
(
    tenant LowCardinality(String),
    time DateTime('UTC'),
    kind LowCardinality(String),
    model LowCardinality(String),
    provider LowCardinality(String),
    service LowCardinality(String),
    operation LowCardinality(String),
    feature LowCardinality(String),
    endpoint LowCardinality(String),
    environment LowCardinality(String),
    error_type LowCardinality(String),
    errors SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY (tenant, time, error_type, kind, model, provider, service, operation, feature, endpoint, environment)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.errors_by_type_1m_mv TO ${DATABASE}.errors_by_type_1m AS
SELECT
    tenant,
    toDateTime(intDiv(start_time_unix_nano, 60000000000) * 60, 'UTC') AS time,
    kind,
    if(request_model = '', response_model, request_model) AS model,
    provider,
    service,
    operation,
    feature,
    endpoint,
    environment,
    error_type,
    count() AS errors
FROM ${DATABASE}.spans_landing
WHERE error_type != ''
GROUP BY tenant, time, kind, model, provider, service, operation, feature, endpoint, environment, error_type;
