-- Spend up to a moment, by whom and what, in USD: of the last hour, day, 7 and 30 days (whole minutes), and
-- of the calendar month (UTC) so far. Answers cost burn and where the month is going (M2).
-- usd_month_at_hourly_rate is the last hour × 720; usd_month_projected is the month so far and, for the
-- hours that it still has, the last day's rate. Both are estimates, so Float64; the sums are exact.
-- All columns may be summed over rows. Calls without a price are not in any of them: see unpriced_last_30_days.
-- As in requests_between, whole hours are of the hours' table, and what is left at both ends of each period
-- is of the minutes'; all periods are read at once.
CREATE VIEW IF NOT EXISTS ${DATABASE}.spend AS
WITH
    toDateTime(toStartOfMonth({until:DateTime}, 'UTC'), 'UTC') AS month_start,
    {until:DateTime} - INTERVAL 1 HOUR AS hour_start,
    {until:DateTime} - INTERVAL 1 DAY AS day_start,
    {until:DateTime} - INTERVAL 7 DAY AS week_start,
    {until:DateTime} - INTERVAL 30 DAY AS thirty_start,
    toStartOfHour({until:DateTime}, 'UTC') AS last_hour,
    toDateTime(toStartOfDay({until:DateTime}, 'UTC'), 'UTC') AS last_day,
    dateDiff('second', {until:DateTime}, addMonths(month_start, 1)) / 3600 AS hours_left,
    -- Whole days, then the hours and the minutes that are left at both ends of a window.
    start -> time >= start AND multiIf(
        step = 'day', 1,
        step = 'hour', time >= last_day OR time < toStartOfDay(start + 86399, 'UTC'),
        time >= last_hour OR time < toStartOfHour(start + 3599, 'UTC')
    ) AS is_since
SELECT
    tenant,
    feature,
    environment,
    model,
    sumIf(costs.cost_usd, is_since(hour_start)) AS usd_last_hour,
    sumIf(costs.cost_usd, is_since(day_start)) AS usd_last_day,
    sumIf(costs.cost_usd, is_since(week_start)) AS usd_last_7_days,
    sumIf(costs.cost_usd, is_since(month_start)) AS usd_month_to_date,
    sumIf(costs.cost_usd, is_since(thirty_start)) AS usd_last_30_days,
    toFloat64(usd_last_hour) * 720 AS usd_month_at_hourly_rate,
    toFloat64(usd_month_to_date) + toFloat64(usd_last_day) / 24 * hours_left AS usd_month_projected,
    sumIf(costs.unpriced, is_since(thirty_start)) AS unpriced_last_30_days
FROM
(
    SELECT 'day' AS step, time, tenant, feature, environment, model, cost_usd, unpriced
    FROM ${DATABASE}.calls_by_feature_1d
    WHERE time >= least(month_start, thirty_start) AND time < last_day
    UNION ALL
    SELECT 'hour' AS step, time, tenant, feature, environment, model, cost_usd, unpriced
    FROM ${DATABASE}.requests_by_model_1h
    WHERE time < last_hour
        AND (
            time >= last_day
            OR (time >= day_start AND time < day_start + 86400)
            OR (time >= week_start AND time < week_start + 86400)
            OR (time >= thirty_start AND time < thirty_start + 86400)
        )
    UNION ALL
    SELECT 'minute' AS step, time, tenant, feature, environment, model, cost_usd, unpriced
    FROM ${DATABASE}.requests_by_model_1m
    WHERE time < {until:DateTime}
        AND (
            time >= least(last_hour, hour_start)
            OR (time >= day_start AND time < day_start + 3600)
            OR (time >= week_start AND time < week_start + 3600)
            OR (time >= thirty_start AND time < thirty_start + 3600)
        )
) AS costs
GROUP BY tenant, feature, environment, model
HAVING sum(costs.cost_usd) != 0 OR sum(costs.unpriced) != 0;
