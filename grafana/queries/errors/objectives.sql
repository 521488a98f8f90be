-- Burn rates now, at the end of the range, of each objective and service, over all windows that the rules
-- slo-errors, slo-latency and slo-cost look at. Minutes are added up by service first: the sums of all
-- windows are then one step over few rows.
WITH
    [300, 1800, 3600, 7200, 21600, 86400, 259200] AS windows,
    minutes AS
    (
        SELECT
            'errors' AS objective,
            toString(calls.service) AS service,
            calls.time AS minute,
            toFloat64(sum(calls.errors)) AS bad,
            sum(calls.requests) * (1 - @number(error_objective, 99) / 100) AS allowed
        FROM requests_by_model_1m AS calls
        WHERE calls.kind = 'llm' AND calls.time >= $__toTime - INTERVAL 3 DAY AND calls.time < $__toTime
            AND @filters(calls: tenant, environment, model, feature, service)
        GROUP BY service, minute
        UNION ALL
        SELECT
            'errors' AS objective,
            toString(calls.service) AS service,
            calls.time AS minute,
            -toFloat64(sum(calls.errors)) AS bad,
            sum(calls.errors) * (@number(error_objective, 99) / 100 - 1) AS allowed
        FROM errors_by_type_1m AS calls
        WHERE calls.kind = 'llm' AND calls.error_type = 'cancelled'
            AND calls.time >= $__toTime - INTERVAL 3 DAY AND calls.time < $__toTime
            AND @filters(calls: tenant, environment, model, feature, service)
        GROUP BY service, minute
        UNION ALL
        SELECT
            'latency' AS objective,
            toString(calls.service) AS service,
            calls.time AS minute,
            toFloat64(sum(arraySum(mapValues(mapFilter((le, slow) -> le > bound_ms, calls.duration_buckets))))) AS bad,
            sum(calls.requests) * (1 - @number(latency_objective, 95) / 100) AS allowed
        FROM histograms_by_model_1m AS calls
        WHERE calls.kind = 'llm' AND calls.time >= $__toTime - INTERVAL 3 DAY AND calls.time < $__toTime
            AND @filters(calls: tenant, environment, model, feature, service)
        GROUP BY service, minute
        UNION ALL
        SELECT
            'cost' AS objective,
            'all' AS service,
            calls.time AS minute,
            toFloat64(sum(calls.cost_usd)) AS bad,
            0 AS allowed
        FROM requests_by_model_1m AS calls
        WHERE calls.time >= $__toTime - INTERVAL 3 DAY AND calls.time < $__toTime
            AND @filters(calls: tenant, environment, model, feature, service)
        GROUP BY minute
    ),
    arrayFirst(
        bound -> bound >= @number(slow_s, 10) * 1000 OR bound = 81920,
        [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920]
    ) AS bound_ms
SELECT
    burning.objective AS objective,
    burning.service AS service,
    burning.rates[1] AS `5 min`,
    burning.rates[2] AS `30 min`,
    burning.rates[3] AS `1 h`,
    burning.rates[4] AS `2 h`,
    burning.rates[5] AS `6 h`,
    burning.rates[6] AS `1 d`,
    burning.rates[7] AS `3 d`
FROM
(
    SELECT
        minutes.objective AS objective,
        minutes.service AS service,
        arrayMap(
            (seconds, bad, allowed) -> bad / nullIf(
                if(objective = 'cost', @number(budget, 3000) * seconds / 2592000, allowed), 0
            ),
            windows,
            sumForEach(arrayMap(seconds -> if(minutes.minute >= $__toTime - seconds, minutes.bad, 0), windows)),
            sumForEach(arrayMap(seconds -> if(minutes.minute >= $__toTime - seconds, minutes.allowed, 0), windows))
        ) AS rates
    FROM minutes
    GROUP BY objective, service
) AS burning
ORDER BY indexOf(['errors', 'latency', 'cost'], objective), service
LIMIT 100
