-- Where scores of spans and traces arrive. As spans_landing does it keeps nothing, and its columns are
-- the fields of schemas/evaluation.avsc.
CREATE TABLE IF NOT EXISTS ${DATABASE}.evaluations_landing
(
    evaluation_id String,
    trace_id String,
    span_id String,
    time_unix_nano Int64,
    evaluator String,
    evaluator_version String,
    dimension String,
    score Nullable(Float64),
    label String,
    explanation String,
    response_id String,
    tenant String,
    team String,
    feature String,
    environment String,
    cost_centre String,
    user_tier String,
    user String,
    session String,
    request_id String,
    service String,
    provider String,
    model String,
    prompt_id String,
    prompt_version String,
    experiment String,
    variant String,
    domain String,
    use_case String,
    origin String,
    received_time_unix_nano Int64
)
ENGINE = Null;

-- Every score, as long as the span that it was given to. Answers: which answers of this evaluator were
-- bad, and why (T6, E1). Sorted by tenant, evaluator and time because a person looks at one evaluator
-- over a range of time; the scores of a trace are found by the skip index on trace_id.
CREATE TABLE IF NOT EXISTS ${DATABASE}.evaluations
(
    tenant LowCardinality(String),
    evaluator LowCardinality(String),
    time DateTime64(9, 'UTC'),
    evaluation_id String,
    trace_id String,
    span_id String,
    evaluator_version LowCardinality(String),
    dimension LowCardinality(String),
    score Nullable(Float64),
    label LowCardinality(String),
    explanation String CODEC(ZSTD(1)),
    response_id String,
    team LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    cost_centre LowCardinality(String),
    user_tier LowCardinality(String),
    user String,
    session String,
    request_id String,
    service LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    prompt_id LowCardinality(String),
    prompt_version LowCardinality(String),
    experiment LowCardinality(String),
    variant LowCardinality(String),
    domain LowCardinality(String),
    use_case LowCardinality(String),
    origin LowCardinality(String),
    received_time DateTime64(9, 'UTC'),
    landed_time DateTime64(3, 'UTC'),
    INDEX trace_id_bloom trace_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (tenant, evaluator, time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.evaluations_mv TO ${DATABASE}.evaluations AS
SELECT
    * EXCEPT (time_unix_nano, received_time_unix_nano),
    fromUnixTimestamp64Nano(time_unix_nano, 'UTC') AS time,
    fromUnixTimestamp64Nano(received_time_unix_nano, 'UTC') AS received_time,
    nowInBlock64(3, 'UTC') AS landed_time
FROM ${DATABASE}.evaluations_landing;

-- Scores per minute by everything that quality is compared by. Answers: mean and percentiles of a score
-- by evaluator, model, prompt version, experiment variant or user tier (E2, E3, A4, A6), and how often
-- each label was given. Sorted by tenant, then time, as the rollups of spans are.
-- scored counts the evaluations that have a score, whose sum is score_sum: their mean is
-- sum(score_sum) / sum(scored). A score is rounded to 9 decimals, so that a sum is exact in whatever
-- order it is added up. score_nano is a sketch of the same in billionths, with a relative error of 1 %
-- at most (of numbers below 1 the error of ClickHouse's sketches is up to 3 %); read it with
-- quantilesDDMerge(0.01, …).
-- Dimensions are those that the score came with: of a score that was sent without them they are empty
-- here, and evaluated_spans finds them by its span.
CREATE TABLE IF NOT EXISTS ${DATABASE}.scores_by_evaluator_1m
(
    tenant LowCardinality(String),
    time DateTime('UTC'),
    evaluator LowCardinality(String),
    evaluator_version LowCardinality(String),
    dimension LowCardinality(String),
    feature LowCardinality(String),
    model LowCardinality(String),
    user_tier LowCardinality(String),
    prompt_id LowCardinality(String),
    prompt_version LowCardinality(String),
    experiment LowCardinality(String),
    variant LowCardinality(String),
    environment LowCardinality(String),
    use_case LowCardinality(String),
    label LowCardinality(String),
    evaluations SimpleAggregateFunction(sum, UInt64),
    scored SimpleAggregateFunction(sum, UInt64),
    score_sum SimpleAggregateFunction(sum, Decimal(38, 9)),
    score_nano AggregateFunction(quantilesDD(0.01, 0.05, 0.5, 0.95), Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(time)
ORDER BY (
    tenant, time, evaluator, evaluator_version, dimension, feature, model, user_tier, prompt_id, prompt_version,
    experiment, variant, environment, use_case, label
)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.scores_by_evaluator_1m_mv
TO ${DATABASE}.scores_by_evaluator_1m AS
WITH toInt64(round(score * 1000000000)) AS nano
SELECT
    tenant,
    toDateTime(intDiv(time_unix_nano, 60000000000) * 60, 'UTC') AS time,
    evaluator,
    evaluator_version,
    dimension,
    feature,
    model,
    user_tier,
    prompt_id,
    prompt_version,
    experiment,
    variant,
    environment,
    use_case,
    label,
    count() AS evaluations,
    count(score) AS scored,
    CAST(ifNull(sum(nano), 0) AS Decimal(38, 0)) * toDecimal128('0.000000001', 9) AS score_sum,
    quantilesDDStateIf(0.01, 0.05, 0.5, 0.95)(toFloat64(assumeNotNull(nano)), isNotNull(nano)) AS score_nano
FROM ${DATABASE}.evaluations_landing
GROUP BY
    tenant, time, evaluator, evaluator_version, dimension, feature, model, user_tier, prompt_id, prompt_version,
    experiment, variant, environment, use_case, label;
