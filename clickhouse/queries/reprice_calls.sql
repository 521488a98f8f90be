-- Model calls that started in [from, to) with what they cost now: a page of them, which holds traces
-- whole, but for large ones. A correction that the row itself does not show yet counts; one that is
-- older than the row was made for another.
WITH latest AS
(
    SELECT
        ${SPAN_KEY} AS key,
        corrected_time,
        cost_usd,
        price_status,
        price_version,
        price_model,
        cost_parts_json
    FROM price_corrections
    WHERE start_time >= {from:DateTime64(3, 'UTC')}
        AND start_time < {to:DateTime64(3, 'UTC')}
        AND cityHash64(if(trace_id IN {large_traces:Array(String)}, span_id, trace_id)) % {pages:UInt64} = {page:UInt64}
    ORDER BY corrected_time DESC
    LIMIT 1 BY key
)
SELECT
    hex(calls.key) AS key,
    calls.trace_id AS trace_id,
    calls.span_id AS span_id,
    calls.tenant AS tenant,
    toUnixTimestamp64Nano(calls.start_time) AS start_time_unix_nano,
    calls.kind AS kind,
    calls.service AS service,
    calls.provider AS provider,
    calls.request_model AS request_model,
    calls.response_model AS response_model,
    calls.operation AS operation,
    calls.endpoint AS endpoint,
    calls.feature AS feature,
    calls.environment AS environment,
    calls.team AS team,
    calls.cost_centre AS cost_centre,
    calls.user_tier AS user_tier,
    calls.user AS user,
    calls.prompt_id AS prompt_id,
    calls.prompt_version AS prompt_version,
    calls.error_type AS error_type,
    calls.input_tokens AS input_tokens,
    calls.output_tokens AS output_tokens,
    calls.cache_read_tokens AS cache_read_tokens,
    calls.cache_write_5m_tokens AS cache_write_5m_tokens,
    calls.cache_write_1h_tokens AS cache_write_1h_tokens,
    calls.reasoning_tokens AS reasoning_tokens,
    calls.input_audio_tokens AS input_audio_tokens,
    calls.output_audio_tokens AS output_audio_tokens,
    calls.input_image_tokens AS input_image_tokens,
    calls.output_image_tokens AS output_image_tokens,
    calls.web_searches AS web_searches,
    calls.service_tier AS service_tier,
    calls.flags AS flags,
    toInt128(toDecimal128(calls.reported_cost_usd, 12) * 1000000000000) AS reported_cost_pico_usd,
    latest.corrected_time > calls.landed_time AS is_corrected,
    toInt128(toDecimal128(if(is_corrected, latest.cost_usd, calls.cost_usd), 12) * 1000000000000) AS cost_pico_usd,
    if(is_corrected, latest.price_status, calls.price_status) AS price_status,
    if(is_corrected, latest.price_version, calls.price_version) AS price_version,
    if(is_corrected, latest.price_model, calls.price_model) AS price_model,
    if(is_corrected, latest.cost_parts_json, calls.cost_parts_json) AS cost_parts
FROM
(
    SELECT *, ${SPAN_KEY} AS key
    FROM spans
    WHERE kind IN {kinds:Array(String)}
        AND start_time >= {from:DateTime64(3, 'UTC')}
        AND start_time < {to:DateTime64(3, 'UTC')}
        AND landed_time < {as_of:DateTime64(3, 'UTC')}
        AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        AND (
            empty({models:Array(String)})
            OR request_model IN {models:Array(String)}
            OR response_model IN {models:Array(String)}
        )
        AND cityHash64(if(trace_id IN {large_traces:Array(String)}, span_id, trace_id)) % {pages:UInt64} = {page:UInt64}
) AS calls
LEFT ANY JOIN latest ON calls.key = latest.key;
