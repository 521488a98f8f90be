-- requests_by_model_1m by the hour, for ranges of weeks and months (M1, M2, M4), with the same columns.
-- Fed from the minutes' inserts, which are a fraction of the spans.
CREATE TABLE IF NOT EXISTS ${DATABASE}.requests_by_model_1h AS ${DATABASE}.requests_by_model_1m;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.requests_by_model_1h_mv
TO ${DATABASE}.requests_by_model_1h AS
SELECT
    tenant,
    toStartOfHour(minutes.time) AS time,
    kind,
    model,
    provider,
    service,
    operation,
    feature,
    endpoint,
    environment,
    sum(minutes.requests) AS requests,
    sum(minutes.errors) AS errors,
    sum(minutes.flagged) AS flagged,
    sum(minutes.priced) AS priced,
    sum(minutes.unpriced) AS unpriced,
    sum(minutes.cost_usd) AS cost_usd,
    sum(minutes.reported_cost_usd) AS reported_cost_usd,
    sum(minutes.cost_of_reported_usd) AS cost_of_reported_usd,
    sum(minutes.input_tokens) AS input_tokens,
    sum(minutes.output_tokens) AS output_tokens,
    sum(minutes.cache_read_tokens) AS cache_read_tokens,
    sum(minutes.cache_write_5m_tokens) AS cache_write_5m_tokens,
    sum(minutes.cache_write_1h_tokens) AS cache_write_1h_tokens,
    sum(minutes.reasoning_tokens) AS reasoning_tokens,
    sum(minutes.input_audio_tokens) AS input_audio_tokens,
    sum(minutes.output_audio_tokens) AS output_audio_tokens,
    sum(minutes.duration_nano) AS duration_nano,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(minutes.duration_ms) AS duration_ms,
    sum(minutes.first_tokens) AS first_tokens,
    quantilesDDMergeState(0.01, 0.5, 0.95, 0.99)(minutes.time_to_first_token_ms) AS time_to_first_token_ms
FROM ${DATABASE}.requests_by_model_1m AS minutes
GROUP BY tenant, time, kind, model, provider, service, operation, feature, endpoint, environment;

-- How far our cost of a call is from what the instrumentation or the provider reported, over the calls
-- that have both. Answers: is a price wrong or out of date, and since when (M2).
CREATE VIEW IF NOT EXISTS ${DATABASE}.cost_drift AS
SELECT
    tenant,
    time AS hour,
    provider,
    model,
    sum(hours.reported_cost_usd) AS reported_usd,
    sum(hours.cost_of_reported_usd) AS ours_usd,
    reported_usd - ours_usd AS drift_usd,
    toFloat64(drift_usd) / nullIf(toFloat64(ours_usd), 0) AS drift_ratio
FROM ${DATABASE}.requests_by_model_1h AS hours
GROUP BY tenant, hour, provider, model
HAVING reported_usd != 0 OR ours_usd != 0;
