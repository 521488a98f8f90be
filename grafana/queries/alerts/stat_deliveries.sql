-- Of the notifications that were to go out in the range, the share that did not arrive.
SELECT countIf(deliveries.outcome IN ('failed', 'refused')) / nullIf(countIf(deliveries.outcome IN ('delivered', 'failed', 'refused')), 0) AS `not delivered`
FROM alert_deliveries AS deliveries
WHERE $__timeFilter(deliveries.time)
    AND @filters(deliveries: rule)
