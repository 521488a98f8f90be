-- Where corrections of prices arrive: one row for each change of a span's price. As spans_landing does
-- it keeps nothing, and its columns are the fields of schemas/price-correction.avsc.
CREATE TABLE IF NOT EXISTS ${DATABASE}.price_corrections_landing
(
    trace_id String,
    span_id String,
    tenant String,
    start_time_unix_nano Int64,
    kind String,
    service String,
    provider String,
    request_model String,
    response_model String,
    operation String,
    endpoint String,
    feature String,
    environment String,
    team String,
    cost_centre String,
    user_tier String,
    user String,
    prompt_id String,
    prompt_version String,
    error_type String,
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_5m_tokens Nullable(Int64),
    cache_write_1h_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    input_audio_tokens Nullable(Int64),
    output_audio_tokens Nullable(Int64),
    reported_cost_pico_usd Nullable(Int64),
    old_cost_pico_usd Nullable(Int64),
    old_price_status String,
    old_price_version String,
    old_price_model String,
    cost_pico_usd Nullable(Int64),
    price_status String,
    price_version String,
    price_model String,
    price_flags Array(String),
    cost_parts String,
    job String,
    corrected_time_unix_nano Int64
)
ENGINE = Null;

-- Every change of a price, as long as the rollups that it moved. Answers: what was this call billed
-- before, and why is a month dearer than it was (M2). The newest by corrected_time is what holds.
-- Sorted as spans is, for the two are read side by side, a day at a time; a trace is found by the skip
-- index on trace_id.
CREATE TABLE IF NOT EXISTS ${DATABASE}.price_corrections
(
    tenant LowCardinality(String),
    start_time DateTime64(9, 'UTC'),
    trace_id String,
    span_id String,
    job LowCardinality(String),
    corrected_time DateTime64(9, 'UTC'),
    kind LowCardinality(String),
    service LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    operation LowCardinality(String),
    endpoint LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    team LowCardinality(String),
    cost_centre LowCardinality(String),
    user_tier LowCardinality(String),
    user String,
    prompt_id LowCardinality(String),
    prompt_version LowCardinality(String),
    error_type LowCardinality(String),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_5m_tokens Nullable(Int64),
    cache_write_1h_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    input_audio_tokens Nullable(Int64),
    output_audio_tokens Nullable(Int64),
    reported_cost_usd Nullable(Decimal(18, 12)),
    old_cost_usd Nullable(Decimal(18, 12)),
    old_price_status LowCardinality(String),
    old_price_version LowCardinality(String),
    old_price_model LowCardinality(String),
    cost_usd Nullable(Decimal(18, 12)),
    price_status LowCardinality(String),
    price_version LowCardinality(String),
    price_model LowCardinality(String),
    price_flags Array(LowCardinality(String)),
    cost_parts_json String,
    cost_parts Array(Tuple(part String, units Int64, unit_price String, cost_pico_usd Int64))
        ALIAS JSONExtract(cost_parts_json, 'Array(Tuple(part String, units Int64, unit_price String, cost_pico_usd Int64))'),
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(start_time)
ORDER BY (tenant, start_time, span_id)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.price_corrections_mv TO ${DATABASE}.price_corrections AS
WITH toDecimal64('0.000000000001', 12) AS pico
SELECT
    * EXCEPT (
        start_time_unix_nano, corrected_time_unix_nano, reported_cost_pico_usd, old_cost_pico_usd, cost_pico_usd,
        cost_parts
    ),
    cost_parts AS cost_parts_json,
    fromUnixTimestamp64Nano(start_time_unix_nano, 'UTC') AS start_time,
    fromUnixTimestamp64Nano(corrected_time_unix_nano, 'UTC') AS corrected_time,
    CAST(reported_cost_pico_usd AS Nullable(Decimal(18, 0))) * pico AS reported_cost_usd,
    CAST(old_cost_pico_usd AS Nullable(Decimal(18, 0))) * pico AS old_cost_usd,
    CAST(cost_pico_usd AS Nullable(Decimal(18, 0))) * pico AS cost_usd
FROM ${DATABASE}.price_corrections_landing;

-- What each rollup gets of a correction: new minus old, as a row to be added to those that are there.
-- Columns that no price changes are left out; their defaults (0, empty sketches) add nothing.
-- requests_by_model_1h has its share from the minutes, as with spans.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.requests_by_model_1m_correction_mv
TO ${DATABASE}.requests_by_model_1m AS
WITH
    toInt8(price_status NOT IN ('not_applicable', 'nested'))
        - toInt8(old_price_status NOT IN ('not_applicable', 'nested')) AS counted,
    toInt8(price_status = 'priced') - toInt8(old_price_status = 'priced') AS priced_change,
    isNotNull(reported_cost_pico_usd) AS reports,
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
    sum(priced_change) AS priced,
    sum(toInt8(price_status = 'unpriced') - toInt8(old_price_status = 'unpriced')) AS unpriced,
    CAST(sum(ifNull(cost_pico_usd, 0) - ifNull(old_cost_pico_usd, 0)) AS Decimal(38, 0)) * pico AS cost_usd,
    CAST(sum(ifNull(reported_cost_pico_usd, 0) * priced_change) AS Decimal(38, 0)) * pico AS reported_cost_usd,
    CAST(
        sum(
            if(reports AND price_status = 'priced', ifNull(cost_pico_usd, 0), 0)
                - if(reports AND old_price_status = 'priced', ifNull(old_cost_pico_usd, 0), 0)
        ) AS Decimal(38, 0)
    ) * pico AS cost_of_reported_usd,
    sum(ifNull(landing.input_tokens, 0) * counted) AS input_tokens,
    sum(ifNull(landing.output_tokens, 0) * counted) AS output_tokens,
    sum(ifNull(landing.cache_read_tokens, 0) * counted) AS cache_read_tokens,
    sum(ifNull(landing.cache_write_5m_tokens, 0) * counted) AS cache_write_5m_tokens,
    sum(ifNull(landing.cache_write_1h_tokens, 0) * counted) AS cache_write_1h_tokens,
    sum(ifNull(landing.reasoning_tokens, 0) * counted) AS reasoning_tokens,
    sum(ifNull(landing.input_audio_tokens, 0) * counted) AS input_audio_tokens,
    sum(ifNull(landing.output_audio_tokens, 0) * counted) AS output_audio_tokens
FROM ${DATABASE}.price_corrections_landing AS landing
GROUP BY tenant, time, kind, model, provider, service, operation, feature, endpoint, environment;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.cost_by_user_1h_correction_mv TO ${DATABASE}.cost_by_user_1h AS
WITH toInt8(price_status NOT IN ('not_applicable', 'nested'))
    - toInt8(old_price_status NOT IN ('not_applicable', 'nested')) AS counted
SELECT
    tenant,
    toDateTime(intDiv(start_time_unix_nano, 3600000000000) * 3600, 'UTC') AS time,
    user,
    if(request_model = '', response_model, request_model) AS model,
    feature,
    team,
    environment,
    cost_centre,
    user_tier,
    prompt_id,
    prompt_version,
    sum(counted) AS requests,
    sumIf(counted, error_type != '') AS errors,
    sum(toInt8(price_status = 'unpriced') - toInt8(old_price_status = 'unpriced')) AS unpriced,
    sum(ifNull(landing.input_tokens, 0) * counted) AS input_tokens,
    sum(ifNull(landing.output_tokens, 0) * counted) AS output_tokens,
    CAST(sum(ifNull(cost_pico_usd, 0) - ifNull(old_cost_pico_usd, 0)) AS Decimal(38, 0))
        * toDecimal128('0.000000000001', 12) AS cost_usd
FROM ${DATABASE}.price_corrections_landing AS landing
GROUP BY tenant, time, user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version;

-- A trace has started by the start of any span of its and has not ended before it, so that start is
-- the one time that moves neither of the two.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.traces_correction_mv TO ${DATABASE}.traces AS
WITH toInt8(price_status NOT IN ('not_applicable', 'nested'))
    - toInt8(old_price_status NOT IN ('not_applicable', 'nested')) AS counted
SELECT
    tenant,
    toDateTime(intDiv(start_time_unix_nano, 3600000000000) * 3600, 'UTC') AS hour,
    trace_id,
    fromUnixTimestamp64Nano(min(start_time_unix_nano), 'UTC') AS start_time,
    fromUnixTimestamp64Nano(max(start_time_unix_nano), 'UTC') AS end_time,
    sum(toInt8(price_status = 'unpriced') - toInt8(old_price_status = 'unpriced')) AS unpriced,
    sum(ifNull(landing.input_tokens, 0) * counted) AS input_tokens,
    sum(ifNull(landing.output_tokens, 0) * counted) AS output_tokens,
    CAST(sum(ifNull(cost_pico_usd, 0) - ifNull(old_cost_pico_usd, 0)) AS Decimal(38, 0))
        * toDecimal128('0.000000000001', 12) AS cost_usd
FROM ${DATABASE}.price_corrections_landing AS landing
GROUP BY tenant, hour, trace_id;
