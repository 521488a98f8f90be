-- The share of model calls that did not fail, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    1 - sum(calls.errors) / sum(calls.requests) AS successful
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY time, model
ORDER BY time, model
