-- The whole hours of the range: what calls cost, how many these were and what one of them cost.
SELECT
    if(sum(calls.unpriced) = sum(calls.requests), NULL, sum(calls.cost_usd)) AS spent,
    sum(calls.requests) AS calls,
    toFloat64(spent) / nullIf(sum(calls.requests) - sum(calls.unpriced), 0) AS `per call`,
    sum(calls.unpriced) AS `without price`
FROM cost_by_user_1h AS calls
WHERE calls.time >= toStartOfHour($__fromTime) AND calls.time <= $__toTime
    AND @filters(calls: tenant, environment, model, feature, user_tier, prompt_version)
    AND (@text(user) = '' OR calls.user = @text(user))
