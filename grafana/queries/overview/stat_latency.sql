-- P95 of how long model calls took, in milliseconds.
SELECT quantilesDDMerge(0.01, 0.95)(calls.duration_ms)[1] AS P95
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls)
