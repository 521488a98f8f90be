-- From a change of an alert to the end of its delivery: the 95th percentile, in milliseconds.
SELECT if(count() = 0, NULL, quantileExact(0.95)(deliveries.latency_ms)) AS P95
FROM alert_deliveries AS deliveries
WHERE $__timeFilter(deliveries.time) AND deliveries.outcome = 'delivered'
    AND @filters(deliveries: rule)
