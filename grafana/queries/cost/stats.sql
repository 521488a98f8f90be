-- Spend up to the end of the range, whatever its start, and where the month is going: at the rate of the
-- last hour, and by what was spent so far with the rate of the last day.
SELECT
    sum(spent.usd_last_hour) AS `last hour`,
    (
        SELECT sum(calls.cost_usd)
        FROM requests_between(from = toDateTime(toStartOfDay($__toTime, 'UTC'), 'UTC'), to = $__toTime) AS calls
        WHERE @filters(calls)
    ) AS today,
    sum(spent.usd_last_7_days) AS `7 days`,
    sum(spent.usd_month_to_date) AS `month to date`,
    sum(spent.usd_month_projected) AS `month, projected`,
    sum(spent.usd_month_at_hourly_rate) AS `month at this rate`
FROM spend(until = $__toTime) AS spent
WHERE @filters(spent)
