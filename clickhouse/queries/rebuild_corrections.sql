-- Corrections of prices of a day's spans, to where corrections arrive.
INSERT INTO ${SHADOW}.price_corrections_landing
(
    trace_id, span_id, tenant, start_time_unix_nano, kind, service, provider, request_model, response_model,
    operation, endpoint, feature, environment, team, cost_centre, user_tier, user, prompt_id, prompt_version,
    error_type, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, input_audio_tokens, output_audio_tokens, reported_cost_pico_usd, old_cost_pico_usd,
    old_price_status, old_price_version, old_price_model, cost_pico_usd, price_status, price_version,
    price_model, price_flags, cost_parts, job, corrected_time_unix_nano
)
SELECT
    trace_id, span_id, tenant, toUnixTimestamp64Nano(start_time), kind, service, provider, request_model,
    response_model, operation, endpoint, feature, environment, team, cost_centre, user_tier, user, prompt_id,
    prompt_version, error_type, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, reasoning_tokens, input_audio_tokens, output_audio_tokens,
    toInt64(toInt128(toDecimal128(reported_cost_usd, 12) * 1000000000000)),
    toInt64(toInt128(toDecimal128(old_cost_usd, 12) * 1000000000000)),
    old_price_status, old_price_version, old_price_model,
    toInt64(toInt128(toDecimal128(cost_usd, 12) * 1000000000000)),
    price_status, price_version, price_model, price_flags, cost_parts_json, job,
    toUnixTimestamp64Nano(corrected_time)
FROM ${DATABASE}.price_corrections
WHERE toDate(start_time) = {day:Date};
