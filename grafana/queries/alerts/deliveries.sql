-- Single notifications, those that did not arrive first.
WITH found AS
(
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
)
SELECT * FROM found
UNION ALL
SELECT toDateTime64($__toTime, 9, 'UTC') AS time, '(none)' AS channel, '' AS outcome, '' AS rule, '' AS state, 0 AS tries, '' AS status, 0 AS latency, 'nobody was told in this range' AS detail
WHERE (SELECT count() FROM found) = 0
