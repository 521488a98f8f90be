-- What priced calls cost, as USD per hour at each point, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    toFloat64(sum(calls.cost_usd)) * 3600 / @step AS usd
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY time, model
HAVING usd != 0
ORDER BY time, model
