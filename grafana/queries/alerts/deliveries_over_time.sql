-- Notifications by channel and outcome.
WITH found AS
(
    SELECT
        @bucket(deliveries.time) AS time,
        concat(deliveries.channel, ' ', deliveries.outcome) AS outcome,
        count() AS notifications
    FROM alert_deliveries AS deliveries
    WHERE $__timeFilter(deliveries.time)
        AND @filters(deliveries: rule)
    GROUP BY time, outcome
    ORDER BY time, outcome
)
SELECT * FROM found
UNION ALL
SELECT $__toTime AS time, 'none' AS outcome, 0 AS notifications
WHERE (SELECT count() FROM found) = 0
