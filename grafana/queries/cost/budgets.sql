-- Each feature of each tenant against a month's budget, as the rule tenant-feature-month does.
SELECT
    spent.tenant AS tenant,
    spent.feature AS feature,
    sum(spent.usd_last_hour) AS `last hour`,
    sum(spent.usd_last_day) AS `last day`,
    sum(spent.usd_month_to_date) AS `month to date`,
    toFloat64(`month to date`) / nullIf(@number(budget, 3000), 0) AS `of budget`,
    sum(spent.usd_month_projected) AS projected,
    projected / nullIf(@number(budget, 3000), 0) AS `projected of budget`,
    sum(spent.usd_month_at_hourly_rate) AS `month at this rate`
FROM spend(until = $__toTime) AS spent
WHERE @filters(spent)
GROUP BY tenant, feature
HAVING `month to date` != 0
ORDER BY projected DESC
LIMIT 100
