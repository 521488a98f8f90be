-- The month of the end of the range, hour by hour: what was spent since it began, beside the budget and
-- what it comes to when spent evenly.
WITH
    toDateTime(toStartOfMonth($__toTime, 'UTC'), 'UTC') AS month_start,
    toUnixTimestamp(addMonths(month_start, 1)) - toUnixTimestamp(month_start) AS month_seconds
SELECT
    hours.hour + INTERVAL 1 HOUR AS time,
    toFloat64(sum(hours.usd) OVER (ORDER BY hours.hour)) AS spent,
    @number(budget, 3000) * (toUnixTimestamp(time) - toUnixTimestamp(month_start)) / month_seconds AS `even pace`,
    @number(budget, 3000) AS budget
FROM
(
    SELECT calls.time AS hour, sum(calls.cost_usd) AS usd
    FROM requests_by_model_1h AS calls
    WHERE calls.time >= month_start AND calls.time < $__toTime
        AND @filters(calls)
    GROUP BY hour
    ORDER BY hour WITH FILL FROM month_start TO $__toTime STEP INTERVAL 1 HOUR
) AS hours
ORDER BY time
