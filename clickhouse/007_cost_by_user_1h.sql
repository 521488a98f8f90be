-- Model calls per hour by user and by every cost-allocation tag. Answers cost per user, tenant, team,
-- feature, environment, cost centre, user tier and prompt version, and who spent most this hour (M2).
-- One table for all of them: a user has one tier and few prompts, so tags add few rows to users.
-- A call that is counted in a span below it (nested) is not counted again. A correction of a price may
-- find that out later, so every column may go down, and a row may be left with 0 requests.
-- Sorted by tenant, then time, then user: budgets and top lists ask for all users of some hours.
CREATE TABLE IF NOT EXISTS ${DATABASE}.cost_by_user_1h
(
    tenant LowCardinality(String),
    time DateTime('UTC'),
    user String,
    model LowCardinality(String),
    feature LowCardinality(String),
    team LowCardinality(String),
    environment LowCardinality(String),
    cost_centre LowCardinality(String),
    user_tier LowCardinality(String),
    prompt_id LowCardinality(String),
    prompt_version LowCardinality(String),
    requests SimpleAggregateFunction(sum, Int64),
    errors SimpleAggregateFunction(sum, Int64),
    unpriced SimpleAggregateFunction(sum, Int64),
    input_tokens SimpleAggregateFunction(sum, Int64),
    output_tokens SimpleAggregateFunction(sum, Int64),
    cost_usd SimpleAggregateFunction(sum, Decimal(38, 12))
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY (tenant, time, user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.cost_by_user_1h_mv TO ${DATABASE}.cost_by_user_1h AS
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
    count() AS requests,
    countIf(error_type != '') AS errors,
    countIf(price_status = 'unpriced') AS unpriced,
    ifNull(sum(landing.input_tokens), 0) AS input_tokens,
    ifNull(sum(landing.output_tokens), 0) AS output_tokens,
    CAST(ifNull(sum(cost_pico_usd), 0) AS Decimal(38, 0)) * toDecimal128('0.000000000001', 12) AS cost_usd
FROM ${DATABASE}.spans_landing AS landing
WHERE price_status NOT IN ('not_applicable', 'nested')
GROUP BY tenant, time, user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version;
