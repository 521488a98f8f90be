-- How many times faster than allowed the budget of money was spent, over windows that end at each point.
WITH
    least(@step, 3600) AS step,
    @number(budget, 3000) / 2592000 AS usd_per_second,
    points AS
    (
        SELECT
            toUInt32(intDiv(toUnixTimestamp(calls.time), step) * step) AS point,
            toFloat64(sum(calls.cost_usd)) AS usd
        FROM requests_by_model(step_s = least(@step, 3600)) AS calls
        WHERE calls.time >= $__fromTime - INTERVAL 3 DAY AND calls.time < $__toTime
            AND @filters(calls: tenant, environment, model, feature, service)
        GROUP BY point
    )
SELECT *
FROM
(
    SELECT
        toDateTime(points.point + step, 'UTC') AS time,
        sum(points.usd) OVER hour / nullIf(3600 * usd_per_second, 0) AS `1 h`,
        sum(points.usd) OVER six_hours / nullIf(21600 * usd_per_second, 0) AS `6 h`,
        sum(points.usd) OVER day / nullIf(86400 * usd_per_second, 0) AS `1 d`,
        sum(points.usd) OVER three_days / nullIf(259200 * usd_per_second, 0) AS `3 d`
    FROM points
    WINDOW
        hour AS (ORDER BY points.point RANGE BETWEEN 3600 - step PRECEDING AND CURRENT ROW),
        six_hours AS (ORDER BY points.point RANGE BETWEEN 21600 - step PRECEDING AND CURRENT ROW),
        day AS (ORDER BY points.point RANGE BETWEEN 86400 - step PRECEDING AND CURRENT ROW),
        three_days AS (ORDER BY points.point RANGE BETWEEN 259200 - step PRECEDING AND CURRENT ROW)
) AS burning
WHERE burning.time > $__fromTime
ORDER BY time
