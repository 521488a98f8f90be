-- What became of notifications by channel, and how long they took.
WITH found AS
(
    SELECT
        deliveries.channel AS channel,
        any(deliveries.channel_type) AS type,
        countIf(deliveries.outcome = 'delivered') AS delivered,
        countIf(deliveries.outcome = 'failed') AS failed,
        countIf(deliveries.outcome = 'refused') AS refused,
        countIf(deliveries.outcome = 'muted') AS muted,
        countIf(deliveries.outcome = 'expired') AS expired,
        if(delivered = 0, NULL, quantileExactIf(0.5)(deliveries.latency_ms, deliveries.outcome = 'delivered')) AS P50,
        if(delivered = 0, NULL, quantileExactIf(0.95)(deliveries.latency_ms, deliveries.outcome = 'delivered')) AS P95,
        max(deliveries.attempts) AS `most tries`
    FROM alert_deliveries AS deliveries
    WHERE $__timeFilter(deliveries.time)
        AND @filters(deliveries: rule)
    GROUP BY channel
    ORDER BY channel
)
SELECT * FROM found
UNION ALL
SELECT '(none was told)' AS channel, '' AS type, 0 AS delivered, 0 AS failed, 0 AS refused, 0 AS muted, 0 AS expired, NULL AS P50, NULL AS P95, 0 AS `most tries`
WHERE (SELECT count() FROM found) = 0
