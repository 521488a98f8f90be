-- What is left of the budgets of the 30 days before the end of the range: 1 when nothing was spent, below 0
-- when more than all was. Calls that were cancelled are neither good nor bad; a call is slow as the view
-- latency_burn_rate says it.
WITH
    (
        SELECT (sum(calls.total), sum(calls.bad))
        FROM outcomes_between(from = $__toTime - INTERVAL 30 DAY, to = $__toTime) AS calls
        WHERE @filters(calls: tenant, environment, model, feature, service)
    ) AS made,
    (
        SELECT toFloat64(sum(calls.cost_usd))
        FROM costs_between(from = $__toTime - INTERVAL 30 DAY, to = $__toTime) AS calls
        WHERE @filters(calls: tenant, environment, model, feature, service)
    ) AS spent,
    (
        SELECT (sum(slow.total), sum(slow.bad))
        FROM latency_burn_rate(
            objective = 0.95, slow_s = @number(slow_s, 10), window_s = 2592000, until = $__toTime
        ) AS slow
        WHERE @filters(slow: tenant, environment, model, feature, service)
    ) AS timed
SELECT
    1 - made.2 / nullIf(made.1 * (1 - @number(error_objective, 99) / 100), 0) AS errors,
    1 - timed.2 / nullIf(timed.1 * (1 - @number(latency_objective, 95) / 100), 0) AS latency,
    1 - spent / nullIf(@number(budget, 3000), 0) AS cost
