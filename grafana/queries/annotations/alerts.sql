-- Incidents that fired at some time of the range: from firing to resolved, or until now. Those of rules over
-- all tenants, models and features are shown for each. Incidents of more than 30 days are not looked for.
SELECT
    min(alerts.firing_since) AS time,
    if(countIf(alerts.state = 'resolved') = 0, now64(9), max(alerts.time)) AS timeEnd,
    any(alerts.rule) AS title,
    argMin(alerts.summary, (alerts.state != 'firing', alerts.time)) AS text,
    argMax(alerts.severity, alerts.time) AS tags
FROM alerts
WHERE alerts.time >= $__fromTime - INTERVAL 30 DAY AND alerts.time <= $__toTime AND alerts.incident_id != ''
    AND @groups(alerts)
GROUP BY alerts.incident_id
HAVING isNotNull(time) AND timeEnd >= $__fromTime
ORDER BY time DESC
LIMIT 200
