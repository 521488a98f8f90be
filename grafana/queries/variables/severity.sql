-- The severities of alerts.
SELECT DISTINCT severity
FROM alerts
ORDER BY severity
