-- The calls that took longest to answer, each with its trace. Calls that failed are another question: the
-- slowest of those ran into a timeout.
SELECT
    calls.start_time AS time,
    calls.duration_nano / 1000000 AS duration,
    calls.time_to_first_token_nano / 1000000 AS `first token`,
    calls.model AS model,
    calls.provider AS provider,
    calls.feature AS feature,
    calls.endpoint AS endpoint,
    calls.output_tokens AS `output tokens`,
    calls.cost_usd AS usd,
    calls.tenant AS tenant,
    calls.trace_id AS trace
FROM (SELECT *, if(request_model = '', response_model, request_model) AS model FROM spans) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND calls.error_type = '' AND $__timeFilter(calls.start_time)
    AND @filters(calls: tenant, environment, model, feature, provider, service)
ORDER BY calls.duration_nano DESC
LIMIT 20
