-- Spans of an hour, as they landed, to where spans arrive. A row shows its latest price: the one that it
-- landed with is what the first correction since then replaced. Corrections follow by themselves.
INSERT INTO ${SHADOW}.spans_landing
(
    tenant, team, feature, environment, cost_centre, user_tier, kind, start_time_unix_nano, duration_nano,
    service, provider, request_model, response_model, operation, endpoint, status, error_type,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, input_audio_tokens, output_audio_tokens, input_image_tokens, output_image_tokens,
    web_searches, service_tier, reported_cost_pico_usd, time_to_first_token_nano, usage_rule, flags,
    trace_id, span_id, parent_span_id, user, session, request_id, response_id, prompt_id, prompt_version,
    experiment, variant, domain, agent, tool, name, span_kind, streaming, temperature, top_p, max_tokens,
    status_message, scope_name, scope_version, trace_state, received_time_unix_nano, events, links,
    attributes, resource_attributes, cost_pico_usd, price_status, price_version, price_model, price_flags,
    cost_parts, content_kept
)
WITH
    spans AS
    (
        SELECT *, cost_parts_json, ${SPAN_KEY} AS key, toDateTime64(landed_time, 9, 'UTC') AS landed
        FROM ${DATABASE}.spans
        WHERE start_time >= {from:DateTime64(3, 'UTC')} AND start_time < {to:DateTime64(3, 'UTC')}
    ),
    corrections AS
    (
        SELECT ${SPAN_KEY} AS key, corrected_time, old_cost_usd, old_price_status
        FROM ${DATABASE}.price_corrections
        WHERE start_time >= {from:DateTime64(3, 'UTC')} AND start_time < {to:DateTime64(3, 'UTC')}
    )
SELECT
    tenant, team, feature, environment, cost_centre, user_tier, kind,
    toUnixTimestamp64Nano(start_time) AS start_time_unix_nano,
    duration_nano, service, provider, request_model, response_model, operation, endpoint, status, error_type,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens, input_audio_tokens, output_audio_tokens, input_image_tokens, output_image_tokens,
    web_searches, service_tier,
    toInt64(toInt128(toDecimal128(reported_cost_usd, 12) * 1000000000000)) AS reported_cost_pico_usd,
    time_to_first_token_nano, usage_rule, flags,
    trace_id, span_id, parent_span_id, user, session, request_id, response_id, prompt_id, prompt_version,
    experiment, variant, domain, agent, tool, name, span_kind, streaming, temperature, top_p, max_tokens,
    status_message, scope_name, scope_version, trace_state,
    toUnixTimestamp64Nano(received_time) AS received_time_unix_nano,
    events, links, attributes, resource_attributes,
    toInt64(toInt128(
        toDecimal128(if(corrections.old_price_status = '', cost_usd, old_cost_usd), 12) * 1000000000000
    )) AS cost_pico_usd,
    if(corrections.old_price_status = '', spans.price_status, corrections.old_price_status) AS price_status,
    price_version, price_model, price_flags, cost_parts_json AS cost_parts, content_kept
FROM spans
ASOF LEFT JOIN corrections ON spans.key = corrections.key AND spans.landed < corrections.corrected_time;
