-- The share of input tokens that was read from a provider's cache, which costs less, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    sum(calls.cache_read_tokens) / sum(calls.input_tokens) AS share
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY time, model
HAVING sum(calls.input_tokens) > 0 AND model != ''
ORDER BY time, model
