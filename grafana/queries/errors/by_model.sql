-- The share of calls that failed, by model. Calls that were cancelled are neither failures nor successes.
SELECT
    @bucket(outcomes.time) AS time,
    outcomes.model AS model,
    sum(outcomes.bad) / sum(outcomes.total) AS share
FROM
(
    SELECT calls.time AS time, calls.model AS model, toInt64(calls.requests) AS total, toInt64(calls.errors) AS bad
    FROM requests_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, service)
    UNION ALL
    SELECT calls.time AS time, calls.model AS model, -toInt64(calls.errors) AS total, -toInt64(calls.errors) AS bad
    FROM errors_by_type(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND calls.error_type = 'cancelled' AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, service)
) AS outcomes
GROUP BY time, model
HAVING sum(outcomes.total) > 0
ORDER BY time, model
