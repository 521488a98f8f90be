-- The share of calls that failed, by what is chosen: of the twelve that have the most errors. Calls that
-- were cancelled are neither failures nor successes.
SELECT
    @bucket(outcomes.time) AS time,
    outcomes.split AS split,
    sum(outcomes.bad) / sum(outcomes.total) AS share
FROM
(
    SELECT
        calls.time AS time,
        @split(calls: provider, endpoint, operation, feature, service, model) AS split,
        toInt64(calls.requests) AS total,
        toInt64(calls.errors) AS bad
    FROM requests_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, service)
    UNION ALL
    SELECT
        calls.time AS time,
        @split(calls: provider, endpoint, operation, feature, service, model) AS split,
        -toInt64(calls.errors) AS total,
        -toInt64(calls.errors) AS bad
    FROM errors_by_type(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND calls.error_type = 'cancelled' AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, service)
) AS outcomes
WHERE outcomes.split IN
(
    SELECT @split(failed: provider, endpoint, operation, feature, service, model) AS split
    FROM errors_by_type(step_s = @step) AS failed
    WHERE failed.kind IN ('llm', 'embedding') AND failed.error_type != 'cancelled' AND $__timeFilter(failed.time)
        AND @filters(failed: tenant, environment, model, feature, service)
    GROUP BY split
    ORDER BY sum(failed.errors) DESC, split
    LIMIT 12
)
GROUP BY time, split
HAVING sum(outcomes.total) > 0
ORDER BY time, split
