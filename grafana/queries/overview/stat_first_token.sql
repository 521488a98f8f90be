-- P95 of the time to the first token, of the calls that tell it, in milliseconds.
SELECT quantilesDDMerge(0.01, 0.95)(calls.time_to_first_token_ms)[1] AS P95
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls)
HAVING sum(calls.first_tokens) > 0
