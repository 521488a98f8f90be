-- What priced calls cost, as USD per hour at each point, by what is chosen: the twelve dearest, and others.
SELECT
    costs.time AS time,
    if(costs.place <= 12, costs.split, 'others') AS split,
    toFloat64(sum(costs.usd)) * 3600 / @step AS usd
FROM
(
    SELECT *, dense_rank() OVER (ORDER BY totals.total DESC, totals.split) AS place
    FROM
    (
        SELECT
            @bucket(calls.time) AS time,
            @split(calls: model, feature, tenant, team, environment, cost_centre, user_tier, user, prompt) AS split,
            sum(calls.cost_usd) AS usd,
            sum(sum(calls.cost_usd)) OVER (PARTITION BY split) AS total
        FROM (SELECT *, trim(concat(prompt_id, ' ', prompt_version)) AS prompt FROM cost_by_user_1h) AS calls
        WHERE calls.time >= toStartOfHour($__fromTime) AND calls.time <= $__toTime
            AND @filters(calls: tenant, environment, model, feature, user_tier, prompt_version)
            AND (@text(user) = '' OR calls.user = @text(user))
        GROUP BY time, split
    ) AS totals
) AS costs
GROUP BY time, split
HAVING usd != 0
ORDER BY time, split
