-- Where calls fail: by service and endpoint, the most failures first, and what fails there most often.
-- Cancelled calls are left out.
SELECT
    outcomes.service AS service,
    if(outcomes.endpoint = '', '(none)', outcomes.endpoint) AS endpoint,
    sum(outcomes.total) AS calls,
    sum(outcomes.bad) AS failed,
    sum(outcomes.bad) / nullIf(sum(outcomes.total), 0) AS share,
    argMax(outcomes.error_type, outcomes.bad) AS `most often`
FROM
(
    SELECT
        calls.service AS service,
        calls.endpoint AS endpoint,
        '' AS error_type,
        sum(toInt64(calls.requests)) AS total,
        toInt64(0) AS bad
    FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, service)
    GROUP BY service, endpoint
    UNION ALL
    SELECT
        calls.service AS service,
        calls.endpoint AS endpoint,
        calls.error_type AS error_type,
        -sumIf(toInt64(calls.errors), calls.error_type = 'cancelled') AS total,
        sumIf(toInt64(calls.errors), calls.error_type != 'cancelled') AS bad
    FROM errors_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, service)
    GROUP BY service, endpoint, error_type
) AS outcomes
GROUP BY service, endpoint
HAVING failed > 0
ORDER BY failed DESC
LIMIT 50
