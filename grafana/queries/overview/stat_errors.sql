-- The share of model calls that failed.
SELECT sum(calls.errors) / nullIf(sum(calls.requests), 0) AS `failed calls`
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls)
