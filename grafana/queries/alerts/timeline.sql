-- The state of each alert over time, as a number: 0 inactive, 1 pending, 2 firing as info, 3 as warning, 4 as
-- critical, 5 resolved. What it was when the range began is its state there. Alerts that were neither pending
-- nor firing in the range are left out; those that fired come first.
WITH
    if(alerts.state = 'firing', 2 + indexOf(['warning', 'critical'], alerts.severity), transform(alerts.state, ['pending', 'resolved'], [1, 5], 0)) AS state_number
SELECT change.1 AS time, alert, change.2 AS state
FROM
(
    SELECT
        alert,
        arraySort(groupArray((at, state))) AS changes
    FROM
    (
        SELECT
            arrayStringConcat(arrayFilter(word -> word != '', arrayConcat([alerts.rule, alerts.level], mapValues(alerts.`group`))), ' ') AS alert,
            greatest(alerts.time, toDateTime64($__fromTime, 9, 'UTC')) AS at,
            argMax(state_number, (alerts.time, alerts.landed_time, state_number)) AS state
        FROM alerts
        WHERE alerts.time >= $__fromTime - INTERVAL 30 DAY AND alerts.time <= $__toTime
            AND @filters(alerts: rule, severity)
            AND @groups(alerts)
        GROUP BY alert, at
    )
    GROUP BY alert
    HAVING arrayExists(change -> change.2 BETWEEN 1 AND 4, changes)
    ORDER BY arrayExists(change -> change.2 BETWEEN 2 AND 4, changes) DESC, changes[-1].1 DESC
    LIMIT 40
)
ARRAY JOIN changes AS change
ORDER BY time, alert
