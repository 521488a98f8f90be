-- What the last hour of the range cost, in USD.
SELECT sum(calls.cost_usd) AS `last hour`
FROM requests_between(from = $__toTime - INTERVAL 1 HOUR, to = $__toTime) AS calls
WHERE @filters(calls)
