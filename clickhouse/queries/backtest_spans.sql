-- Spans that ended in [from, to), as alert rules look at them, in the order of their ends. One that ended
-- after it came in counts as from when it came. A span of more than a day is not found. Attributes are
-- read only where a rule asks for some.
SELECT
    toUnixTimestamp64Nano(start_time) + duration_nano AS end_unix_nano,
    toUnixTimestamp64Nano(received_time) AS received_time_unix_nano,
    duration_nano,
    time_to_first_token_nano,
    if(price_status IN ('not_applicable', 'nested'), NULL, input_tokens) AS input_tokens,
    if(price_status IN ('not_applicable', 'nested'), NULL, output_tokens) AS output_tokens,
    toInt128(toDecimal128(cost_usd, 12) * 1000000000000) AS cost_pico_usd,
    trace_id,
    tenant,
    team,
    feature,
    environment,
    cost_centre,
    user_tier,
    kind,
    service,
    provider,
    if(request_model = '', response_model, request_model) AS model,
    request_model,
    response_model,
    operation,
    endpoint,
    status,
    error_type,
    user,
    session,
    prompt_id,
    prompt_version,
    experiment,
    variant,
    domain,
    agent,
    tool,
    price_status,
    price_model,
    service_tier,
    if({with_attributes:Bool}, attributes, map()) AS attributes,
    if({with_attributes:Bool}, resource_attributes, map()) AS resource_attributes
FROM spans
WHERE start_time >= toDateTime64({from:DateTime64(3, 'UTC')}, 9, 'UTC') - INTERVAL 1 DAY
    AND start_time < toDateTime64({to:DateTime64(3, 'UTC')}, 9, 'UTC') + INTERVAL 1 DAY
    AND least(end_unix_nano, received_time_unix_nano) >= toUnixTimestamp64Nano(toDateTime64({from:DateTime64(3, 'UTC')}, 9, 'UTC'))
    AND least(end_unix_nano, received_time_unix_nano) < toUnixTimestamp64Nano(toDateTime64({to:DateTime64(3, 'UTC')}, 9, 'UTC'))
ORDER BY end_unix_nano, trace_id, span_id
