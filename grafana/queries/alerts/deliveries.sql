-- Single notifications, those that did not arrive first.
SELECT
    deliveries.time AS time,
    deliveries.channel AS channel,
    deliveries.outcome AS outcome,
    deliveries.rule AS rule,
    deliveries.state AS state,
    deliveries.attempts AS tries,
    if(deliveries.status = 0, '', toString(deliveries.status)) AS status,
    deliveries.latency_ms AS latency,
    deliveries.detail AS detail
FROM alert_deliveries AS deliveries
WHERE $__timeFilter(deliveries.time)
    AND @filters(deliveries: rule)
ORDER BY outcome IN ('failed', 'refused') DESC, deliveries.time DESC
LIMIT 200
