-- What calls cost, the dearest twenty. Where no call has a price, what they cost is not known.
SELECT
    if(toString(calls.@by) = '', '(none)', toString(calls.@by)) AS name,
    if(sum(calls.unpriced) = sum(calls.requests), NULL, sum(calls.cost_usd)) AS usd,
    toFloat64(usd) / nullIf(toFloat64(sum(sum(calls.cost_usd)) OVER ()), 0) AS share,
    sum(calls.requests) AS calls,
    toFloat64(usd) / nullIf(sum(calls.requests) - sum(calls.unpriced), 0) AS `per call`,
    sum(calls.unpriced) AS `without price`
FROM (SELECT *, trim(concat(prompt_id, ' ', prompt_version)) AS prompt FROM cost_by_user_1h) AS calls
WHERE calls.time >= toStartOfHour($__fromTime) AND calls.time <= $__toTime
    AND @filters(calls: tenant, environment, model, feature, user_tier, prompt_version)
    AND (@text(user) = '' OR calls.user = @text(user))
GROUP BY name
ORDER BY usd DESC NULLS LAST, calls DESC
LIMIT 20
