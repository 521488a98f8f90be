-- Model calls per minute, counted into buckets. Answers how latency, time to first token and lengths of
-- questions and answers are distributed and how that moves (M1, D3), and how many calls were slower than
-- an objective allows (A7), which the sketches of requests_by_model_1m cannot: they know percentiles.
-- The bounds are those of the OpenTelemetry GenAI semantic conventions 1.41: gen_ai.client.operation.duration,
-- gen_ai.server.time_to_first_token and gen_ai.client.token.usage.
-- A map holds a count for each bucket that is not empty, by its upper bound (le, less or equal) in
-- milliseconds or tokens; 4294967295 stands for no bound. Counts are not cumulative: a call is in one
-- bucket of each map that it has a value for. sumMap adds maps up; histogram_buckets makes rows of them.
-- (Measured: maps of integers cost an insert 0.2 µs a call beyond its grouping, arrays of counts 0.4 to 0.7.)
-- Sorted as requests_by_model_1m is, without endpoint, which model calls do not have.
-- A model call is one that is not counted in a span below it. What was a call when it landed stays one:
-- as with percentiles, corrections of prices move nothing here.
CREATE TABLE IF NOT EXISTS ${DATABASE}.histograms_by_model_1m
(
    tenant LowCardinality(String),
    time DateTime('UTC'),
    kind LowCardinality(String),
    model LowCardinality(String),
    provider LowCardinality(String),
    service LowCardinality(String),
    operation LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    requests SimpleAggregateFunction(sum, UInt64),
    duration_buckets SimpleAggregateFunction(sumMap, Map(UInt32, UInt64)),
    first_token_buckets SimpleAggregateFunction(sumMap, Map(UInt32, UInt64)),
    input_token_buckets SimpleAggregateFunction(sumMap, Map(UInt32, UInt64)),
    output_token_buckets SimpleAggregateFunction(sumMap, Map(UInt32, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY (tenant, time, kind, model, provider, service, operation, feature, environment)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.histograms_by_model_1m_mv
TO ${DATABASE}.histograms_by_model_1m AS
WITH
    assumeNotNull(time_to_first_token_nano) AS first_token_nano,
    assumeNotNull(landing.input_tokens) AS input,
    assumeNotNull(landing.output_tokens) AS output,
    toUInt32(multiIf(
        landing.duration_nano <= 10000000, 10, landing.duration_nano <= 20000000, 20,
        landing.duration_nano <= 40000000, 40, landing.duration_nano <= 80000000, 80,
        landing.duration_nano <= 160000000, 160, landing.duration_nano <= 320000000, 320,
        landing.duration_nano <= 640000000, 640, landing.duration_nano <= 1280000000, 1280,
        landing.duration_nano <= 2560000000, 2560, landing.duration_nano <= 5120000000, 5120,
        landing.duration_nano <= 10240000000, 10240, landing.duration_nano <= 20480000000, 20480,
        landing.duration_nano <= 40960000000, 40960, landing.duration_nano <= 81920000000, 81920, 4294967295
    )) AS duration_le,
    toUInt32(multiIf(
        first_token_nano <= 1000000, 1, first_token_nano <= 5000000, 5, first_token_nano <= 10000000, 10,
        first_token_nano <= 20000000, 20, first_token_nano <= 40000000, 40, first_token_nano <= 60000000, 60,
        first_token_nano <= 80000000, 80, first_token_nano <= 100000000, 100,
        first_token_nano <= 250000000, 250, first_token_nano <= 500000000, 500,
        first_token_nano <= 750000000, 750, first_token_nano <= 1000000000, 1000,
        first_token_nano <= 2500000000, 2500, first_token_nano <= 5000000000, 5000,
        first_token_nano <= 7500000000, 7500, first_token_nano <= 10000000000, 10000, 4294967295
    )) AS first_token_le,
    toUInt32(multiIf(
        input <= 1, 1, input <= 4, 4, input <= 16, 16, input <= 64, 64, input <= 256, 256,
        input <= 1024, 1024, input <= 4096, 4096, input <= 16384, 16384, input <= 65536, 65536,
        input <= 262144, 262144, input <= 1048576, 1048576, input <= 4194304, 4194304,
        input <= 16777216, 16777216, input <= 67108864, 67108864, 4294967295
    )) AS input_le,
    toUInt32(multiIf(
        output <= 1, 1, output <= 4, 4, output <= 16, 16, output <= 64, 64, output <= 256, 256,
        output <= 1024, 1024, output <= 4096, 4096, output <= 16384, 16384, output <= 65536, 65536,
        output <= 262144, 262144, output <= 1048576, 1048576, output <= 4194304, 4194304,
        output <= 16777216, 16777216, output <= 67108864, 67108864, 4294967295
    )) AS output_le
SELECT
    tenant,
    toDateTime(intDiv(start_time_unix_nano, 60000000000) * 60, 'UTC') AS time,
    kind,
    if(request_model = '', response_model, request_model) AS model,
    provider,
    service,
    operation,
    feature,
    environment,
    count() AS requests,
    sumMap(map(duration_le, toUInt64(1))) AS duration_buckets,
    sumMapIf(map(first_token_le, toUInt64(1)), isNotNull(time_to_first_token_nano)) AS first_token_buckets,
    sumMapIf(map(input_le, toUInt64(1)), isNotNull(landing.input_tokens)) AS input_token_buckets,
    sumMapIf(map(output_le, toUInt64(1)), isNotNull(landing.output_tokens)) AS output_token_buckets
FROM ${DATABASE}.spans_landing AS landing
WHERE price_status NOT IN ('not_applicable', 'nested')
GROUP BY tenant, time, kind, model, provider, service, operation, feature, environment;

-- The same by the hour, for objectives over weeks. Fed from the minutes' inserts, as requests_by_model_1h.
CREATE TABLE IF NOT EXISTS ${DATABASE}.histograms_by_model_1h AS ${DATABASE}.histograms_by_model_1m;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.histograms_by_model_1h_mv
TO ${DATABASE}.histograms_by_model_1h AS
SELECT
    tenant,
    toStartOfHour(minutes.time) AS time,
    kind,
    model,
    provider,
    service,
    operation,
    feature,
    environment,
    sum(minutes.requests) AS requests,
    sumMap(minutes.duration_buckets) AS duration_buckets,
    sumMap(minutes.first_token_buckets) AS first_token_buckets,
    sumMap(minutes.input_token_buckets) AS input_token_buckets,
    sumMap(minutes.output_token_buckets) AS output_token_buckets
FROM ${DATABASE}.histograms_by_model_1m AS minutes
GROUP BY tenant, time, kind, model, provider, service, operation, feature, environment;
