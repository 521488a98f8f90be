-- How many times faster than allowed the budget of errors was spent, over windows that end at each point.
-- One pass over the calls of all windows: points are added up, then windows of points. Cancelled calls are
-- neither good nor bad, as in the rule slo-errors.
WITH
    least(@step, 3600) AS step,
    points AS
    (
        SELECT
            toUInt32(intDiv(toUnixTimestamp(outcomes.time), step) * step) AS point,
            sum(outcomes.bad) AS bad,
            sum(outcomes.allowed) AS allowed
        FROM
        (
            SELECT
                calls.time AS time,
                toInt64(calls.errors) AS bad,
                calls.requests * (1 - @number(error_objective, 99) / 100) AS allowed
            FROM requests_by_model(step_s = least(@step, 3600)) AS calls
            WHERE calls.kind = 'llm'
                AND @filters(calls: tenant, environment, model, feature, service)
            UNION ALL
            SELECT
                calls.time AS time,
                -toInt64(calls.errors) AS bad,
                calls.errors * (@number(error_objective, 99) / 100 - 1) AS allowed
            FROM errors_by_type(step_s = least(@step, 3600)) AS calls
            WHERE calls.kind = 'llm' AND calls.error_type = 'cancelled'
                AND @filters(calls: tenant, environment, model, feature, service)
        ) AS outcomes
        WHERE outcomes.time >= $__fromTime - INTERVAL 3 DAY AND outcomes.time < $__toTime
        GROUP BY point
    )
SELECT *
FROM
(
    SELECT
        toDateTime(points.point + step, 'UTC') AS time,
        sum(points.bad) OVER hour / nullIf(sum(points.allowed) OVER hour, 0) AS `1 h`,
        sum(points.bad) OVER six_hours / nullIf(sum(points.allowed) OVER six_hours, 0) AS `6 h`,
        sum(points.bad) OVER day / nullIf(sum(points.allowed) OVER day, 0) AS `1 d`,
        sum(points.bad) OVER three_days / nullIf(sum(points.allowed) OVER three_days, 0) AS `3 d`
    FROM points
    WINDOW
        hour AS (ORDER BY points.point RANGE BETWEEN 3600 - step PRECEDING AND CURRENT ROW),
        six_hours AS (ORDER BY points.point RANGE BETWEEN 21600 - step PRECEDING AND CURRENT ROW),
        day AS (ORDER BY points.point RANGE BETWEEN 86400 - step PRECEDING AND CURRENT ROW),
        three_days AS (ORDER BY points.point RANGE BETWEEN 259200 - step PRECEDING AND CURRENT ROW)
) AS burning
WHERE burning.time > $__fromTime
ORDER BY time
