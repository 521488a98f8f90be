-- The share of model calls that failed.
SELECT sum(calls.errors) / nullIf(sum(calls.requests), 0) AS `failed calls`
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls)
