-- P50, P95 and P99 of how long model calls took, by model; a sketch's error is 1 % at most.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    (quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(calls.duration_ms) AS latency)[1] AS P50,
    latency[2] AS P95,
    latency[3] AS P99
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY time, model
ORDER BY time, model
