-- What the last hour of the range cost, in USD.
SELECT sum(calls.cost_usd) AS `last hour`
FROM requests_by_model_1m AS calls
WHERE calls.time > $__toTime - INTERVAL 1 HOUR AND calls.time <= $__toTime
    AND @filters(calls)
