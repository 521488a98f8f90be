-- The month at the rate of the last hour of the range: times 720 hours, in USD.
SELECT toFloat64(sum(calls.cost_usd)) * 720 AS `a month at this rate`
FROM requests_between(from = $__toTime - INTERVAL 1 HOUR, to = $__toTime) AS calls
WHERE @filters(calls)
