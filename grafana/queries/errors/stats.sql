-- Calls of the range, and how many failed or were cancelled.
SELECT
    sum(outcomes.failed) / nullIf(sum(outcomes.total), 0) AS `failed of all`,
    sum(outcomes.failed) AS failed,
    sum(outcomes.cancelled) AS cancelled
FROM
(
    SELECT toInt64(calls.requests) AS total, toInt64(calls.errors) AS failed, 0 AS cancelled
    FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, service)
    UNION ALL
    SELECT -toInt64(calls.errors) AS total, -toInt64(calls.errors) AS failed, toInt64(calls.errors) AS cancelled
    FROM errors_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND calls.error_type = 'cancelled'
        AND @filters(calls: tenant, environment, model, feature, service)
) AS outcomes
