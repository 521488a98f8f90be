-- Notifications by channel and outcome.
SELECT
    @bucket(deliveries.time) AS time,
    concat(deliveries.channel, ' ', deliveries.outcome) AS outcome,
    count() AS notifications
FROM alert_deliveries AS deliveries
WHERE $__timeFilter(deliveries.time)
    AND @filters(deliveries: rule)
GROUP BY time, outcome
ORDER BY time, outcome
