-- Output tokens for each second that calls took, failed ones too, by what is chosen: of the twelve that have
-- the most calls.
SELECT
    @bucket(calls.time) AS time,
    @split(calls: provider, endpoint, operation, feature, service, model) AS split,
    sum(calls.output_tokens) / (nullIf(sum(calls.duration_nano), 0) / 1000000000) AS speed
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, provider, service)
    AND split IN
    (
        SELECT @split(often: provider, endpoint, operation, feature, service, model) AS split
        FROM requests_by_model(step_s = @step) AS often
        WHERE often.kind IN ('llm', 'embedding') AND $__timeFilter(often.time)
            AND @filters(often: tenant, environment, model, feature, provider, service)
        GROUP BY split
        ORDER BY sum(often.requests) DESC, split
        LIMIT 12
    )
GROUP BY time, split
HAVING sum(calls.output_tokens) > 0
ORDER BY time, split
