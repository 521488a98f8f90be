-- Model calls per minute over the range.
SELECT sum(calls.requests) / (toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime)) * 60 AS `calls per minute`
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls)
