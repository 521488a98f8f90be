-- Output tokens for each second that calls took, failed ones too, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    sum(calls.output_tokens) / (nullIf(sum(calls.duration_nano), 0) / 1000000000) AS speed
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, provider, service)
GROUP BY time, model
HAVING sum(calls.output_tokens) > 0
ORDER BY time, model
