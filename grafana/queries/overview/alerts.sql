-- The changes of alerts in the range, the newest first.
SELECT
    alerts.time AS time,
    alerts.severity AS severity,
    alerts.rule AS rule,
    alerts.state AS state,
    alerts.summary AS summary,
    alerts.link AS link
FROM alerts
WHERE $__timeFilter(alerts.time) AND alerts.state IN ('firing', 'resolved')
    AND @groups(alerts)
ORDER BY time DESC
LIMIT 100
