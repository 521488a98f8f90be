-- The share of model calls that did not fail. Calls have no evaluator, tier or prompt version here.
SELECT 1 - sum(calls.errors) / nullIf(sum(calls.requests), 0) AS `successful calls`
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls)
