-- What a call cost on average, by what is chosen: of the twelve dearest. Calls without a price are left out.
SELECT
    costs.time AS time,
    costs.split AS split,
    costs.usd / costs.priced AS usd
FROM
(
    SELECT *, dense_rank() OVER (ORDER BY totals.total DESC, totals.split) AS place
    FROM
    (
        SELECT
            @bucket(calls.time) AS time,
            @split(calls: model, feature, tenant, team, environment, cost_centre, user_tier, user, prompt) AS split,
            toFloat64(sum(calls.cost_usd)) AS usd,
            sum(calls.requests) - sum(calls.unpriced) AS priced,
            sum(sum(calls.cost_usd)) OVER (PARTITION BY split) AS total
        FROM (SELECT *, trim(concat(prompt_id, ' ', prompt_version)) AS prompt FROM cost_by_user_1h) AS calls
        WHERE calls.time >= toStartOfHour($__fromTime) AND calls.time <= $__toTime
            AND @filters(calls: tenant, environment, model, feature, user_tier, prompt_version)
            AND (@text(user) = '' OR calls.user = @text(user))
        GROUP BY time, split
    ) AS totals
) AS costs
WHERE costs.place <= 12 AND costs.priced > 0 AND costs.usd != 0
ORDER BY time, split
