-- Model calls per minute over the range.
SELECT sum(calls.requests) / (toUnixTimestamp($__toTime) - toUnixTimestamp($__fromTime)) * 60 AS `calls per minute`
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls)
