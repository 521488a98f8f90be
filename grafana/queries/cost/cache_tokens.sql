-- Input tokens of the range by where they came from: the cache, into it, or neither.
SELECT
    calls.model AS model,
    sum(calls.cache_read_tokens) AS `read from cache`,
    sum(calls.cache_write_5m_tokens) + sum(calls.cache_write_1h_tokens) AS `written to cache`,
    sum(calls.input_tokens) - `read from cache` - `written to cache` AS neither
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY model
HAVING sum(calls.input_tokens) > 0 AND model != ''
ORDER BY sum(calls.input_tokens) DESC
LIMIT 20
