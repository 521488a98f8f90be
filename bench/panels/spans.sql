-- So many spans from the first-th on, as enrich would have them: traces of five spans (a request, a
-- retrieval, a call, a tool, a call) spread evenly over 30 days, of 50 tenants with few large and many
-- small, 20,000 users, 8 features and 10 models. The same numbers make the same spans.
INSERT INTO ${DATABASE}.spans_landing
    (tenant, team, feature, environment, cost_centre, user_tier, kind, start_time_unix_nano, duration_nano,
    service, provider, request_model, response_model, operation, endpoint, status, error_type, input_tokens,
    output_tokens, time_to_first_token_nano, trace_id, span_id, parent_span_id, user, session, request_id,
    prompt_id, prompt_version, domain, tool, name, span_kind, status_message, received_time_unix_nano, attributes,
    resource_attributes, prompt, completion, content_kept, cost_pico_usd, price_status, price_version)
WITH
    (value, salt) -> (cityHash64(value, salt) % 1000003) / 1000003 AS unit,
    (value, salt, choices) -> toInt64(cityHash64(value, salt) % choices) AS pick
SELECT
    concat('tenant-', toString(1 + toUInt32(50 * pow(unit(trace, 1), 3)))) AS tenant,
    concat('team-', toString(pick(trace, 2, 6))) AS team,
    concat('feature-', toString(pick(trace, 2, 8))) AS feature,
    if(unit(trace, 3) < 0.9, 'production', 'staging') AS environment,
    if(unit(trace, 4) < 0.3, '', concat('cc-', toString(pick(trace, 2, 4)))) AS cost_centre,
    ['free', 'pro', 'enterprise'][1 + pick(trace, 5, 3)] AS user_tier,
    ['http', 'retrieval', 'llm', 'tool', 'llm'][1 + place] AS kind,
    {first_ns:Int64} + toInt64(trace * {trace_ns:Int64}) + place * 50000000 AS start_time_unix_nano,
    toInt64(if(place = 0, 12000, 400) * exp(2.6 * pow(unit(number, 6), 2)) * 1000000) AS duration_nano,
    concat('service-', toString(pick(trace, 2, 5))) AS service,
    if(is_call, ['openai', 'anthropic', 'gcp.gemini'][1 + pick(model_number, 7, 3)], '') AS provider,
    if(is_call, concat('model-', toString(model_number)), '') AS request_model,
    request_model AS response_model,
    ['', 'retrieval', 'chat', 'execute_tool', 'chat'][1 + place] AS operation,
    concat('/v1/', toString(pick(trace, 2, 8))) AS endpoint,
    'unset' AS status,
    if(is_call AND unit(number, 8) < 0.02, ['rate_limit', 'timeout', 'provider_error'][1 + pick(number, 9, 3)], '') AS error_type,
    if(is_call AND error_type = '', 200 + pick(number, 10, 3000), NULL) AS input_tokens,
    if(is_call AND error_type = '', 20 + pick(number, 11, 800), NULL) AS output_tokens,
    if(is_call, 100000000 + pick(number, 12, 900000000), NULL) AS time_to_first_token_nano,
    lower(hex(cityHash64('trace', trace))) || lower(hex(cityHash64('more', trace))) AS trace_id,
    lower(hex(cityHash64('span', number))) AS span_id,
    if(place = 0, '', lower(hex(cityHash64('span', number - place)))) AS parent_span_id,
    concat(tenant, '-user-', toString(pick(trace, 13, 400))) AS user,
    concat('session-', toString(pick(trace, 14, 500000))) AS session,
    concat('req-', toString(trace)) AS request_id,
    concat('prompt-', toString(pick(trace, 2, 8))) AS prompt_id,
    toString(1 + toUInt32(30 * number / 5 / 2000000)) AS prompt_version,
    ['law', 'shipping', 'code'][1 + pick(trace, 15, 3)] AS domain,
    if(place = 3, concat('tool-', toString(pick(number, 16, 12))), '') AS tool,
    concat(kind, ' ', request_model, tool) AS name,
    'internal' AS span_kind,
    if(error_type = '', '', 'It did not work') AS status_message,
    start_time_unix_nano + duration_nano + 1000000000 AS received_time_unix_nano,
    map('server.address', 'api.example.com') AS attributes,
    map('service.name', service) AS resource_attributes,
    if(is_call AND unit(trace, 17) < 0.01, 'Why is the sky blue?', '') AS prompt,
    if(prompt = '', '', 'Because blue light is scattered more than red.') AS completion,
    prompt != '' AS content_kept,
    if(
        is_call AND error_type = '' AND model_number != 9,
        input_tokens * (1 + model_number) * 150000 + output_tokens * (1 + model_number) * 600000, NULL
    ) AS cost_pico_usd,
    multiIf(NOT is_call, 'not_applicable', error_type != '', 'no_usage', model_number = 9, 'unpriced', 'priced') AS price_status,
    'bench' AS price_version
FROM
(
    SELECT
        number,
        intDiv(number, 5) AS trace,
        toInt64(number % 5) AS place,
        place IN (2, 4) AS is_call,
        pick(number, 18, 10) AS model_number
    FROM numbers({first:UInt64}, {spans:UInt64})
)
