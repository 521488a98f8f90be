-- P95 of the time to the first token of calls that tell it, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    quantilesDDMerge(0.01, 0.95)(calls.time_to_first_token_ms)[1] AS P95
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, provider, service)
GROUP BY time, model
HAVING sum(calls.first_tokens) > 0
ORDER BY time, model
