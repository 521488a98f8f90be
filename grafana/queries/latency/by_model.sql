-- P95 of how long calls took, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    quantilesDDMerge(0.01, 0.95)(calls.duration_ms)[1] AS P95
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, provider, service)
GROUP BY time, model
ORDER BY time, model
