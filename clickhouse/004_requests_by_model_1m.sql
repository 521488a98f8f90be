-- Every kind of span, per minute and per everything that a panel splits by. Answers latency and time
-- to first token by model, provider, endpoint, operation and feature (M1), cost burn by tenant, model
-- and feature (M2), success rate (M3), requests and tokens per minute and the distribution of models
-- (M4), error rates (M5; by type: errors_by_type_1m, so that rare errors multiply no sketches here).
-- Sorted by tenant, then time: a panel asks for a range of time, a person sees one tenant or few.
-- duration_ms and time_to_first_token_ms are sketches with a relative error of 1 % at most; read them
-- with quantilesDDMerge(0.01, …). model is the one asked for, else the one that answered: a failed call
-- counts with the model that it was meant for.
-- Tokens that a span does not tell count as 0, and so do those of a span whose call is counted in a
-- span below it (nested) or that is no model call: tokens and cost are of calls, each once. cost_usd
-- sums the priced ones, unpriced counts those without a price. cost_of_reported_usd is our cost of the
-- priced calls that report one, whose reports sum to reported_cost_usd: the two are comparable.
-- Columns that a correction of a price may lower are Int64 (010_price_corrections.sql).
CREATE TABLE IF NOT EXISTS ${DATABASE}.requests_by_model_1m
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
    requests SimpleAggregateFunction(sum, UInt64),
    errors SimpleAggregateFunction(sum, UInt64),
    flagged SimpleAggregateFunction(sum, UInt64),
    priced SimpleAggregateFunction(sum, Int64),
    unpriced SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 12)),
    reported_cost_usd SimpleAggregateFunction(sum, Decimal(38, 12)),
    cost_of_reported_usd SimpleAggregateFunction(sum, Decimal(38, 12)),
    input_tokens SimpleAggregateFunction(sum, Int64),
    output_tokens SimpleAggregateFunction(sum, Int64),
    cache_read_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_5m_tokens SimpleAggregateFunction(sum, Int64),
    cache_write_1h_tokens SimpleAggregateFunction(sum, Int64),
    reasoning_tokens SimpleAggregateFunction(sum, Int64),
    input_audio_tokens SimpleAggregateFunction(sum, Int64),
    output_audio_tokens SimpleAggregateFunction(sum, Int64),
    duration_nano SimpleAggregateFunction(sum, Int64),
    duration_ms AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64),
    first_tokens SimpleAggregateFunction(sum, UInt64),
    time_to_first_token_ms AggregateFunction(quantilesDD(0.01, 0.5, 0.95, 0.99), Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY (tenant, time, kind, model, provider, service, operation, feature, endpoint, environment)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.requests_by_model_1m_mv
TO ${DATABASE}.requests_by_model_1m AS
WITH
    price_status NOT IN ('not_applicable', 'nested') AS is_counted,
    price_status = 'priced' AND isNotNull(reported_cost_pico_usd) AS is_comparable,
    toDecimal128('0.000000000001', 12) AS pico
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
    count() AS requests,
    countIf(error_type != '') AS errors,
    countIf(notEmpty(flags)) AS flagged,
    countIf(price_status = 'priced') AS priced,
    countIf(price_status = 'unpriced') AS unpriced,
    CAST(ifNull(sum(cost_pico_usd), 0) AS Decimal(38, 0)) * pico AS cost_usd,
    CAST(ifNull(sumIf(reported_cost_pico_usd, is_comparable), 0) AS Decimal(38, 0)) * pico AS reported_cost_usd,
    CAST(ifNull(sumIf(cost_pico_usd, is_comparable), 0) AS Decimal(38, 0)) * pico AS cost_of_reported_usd,
    ifNull(sumIf(landing.input_tokens, is_counted), 0) AS input_tokens,
    ifNull(sumIf(landing.output_tokens, is_counted), 0) AS output_tokens,
    ifNull(sumIf(landing.cache_read_tokens, is_counted), 0) AS cache_read_tokens,
    ifNull(sumIf(landing.cache_write_5m_tokens, is_counted), 0) AS cache_write_5m_tokens,
    ifNull(sumIf(landing.cache_write_1h_tokens, is_counted), 0) AS cache_write_1h_tokens,
    ifNull(sumIf(landing.reasoning_tokens, is_counted), 0) AS reasoning_tokens,
    ifNull(sumIf(landing.input_audio_tokens, is_counted), 0) AS input_audio_tokens,
    ifNull(sumIf(landing.output_audio_tokens, is_counted), 0) AS output_audio_tokens,
    sum(landing.duration_nano) AS duration_nano,
    quantilesDDState(0.01, 0.5, 0.95, 0.99)(landing.duration_nano / 1000000) AS duration_ms,
    count(time_to_first_token_nano) AS first_tokens,
    quantilesDDStateIf(0.01, 0.5, 0.95, 0.99)(
        assumeNotNull(time_to_first_token_nano) / 1000000, isNotNull(time_to_first_token_nano)
    ) AS time_to_first_token_ms
FROM ${DATABASE}.spans_landing AS landing
GROUP BY tenant, time, kind, model, provider, service, operation, feature, endpoint, environment;
