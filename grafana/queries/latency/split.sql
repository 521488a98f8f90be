-- P95 of how long calls took, by what is chosen: of the twelve that have the most calls.
SELECT
    @bucket(calls.time) AS time,
    @split(calls: provider, endpoint, operation, feature, service, model) AS split,
    quantilesDDMerge(0.01, 0.95)(calls.duration_ms)[1] AS P95
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
ORDER BY time, split
