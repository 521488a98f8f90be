-- How many incidents began in the range.
SELECT uniqExact(alerts.incident_id) AS incidents
FROM alerts
WHERE $__timeFilter(alerts.firing_since) AND alerts.state = 'firing'
    AND @filters(alerts: rule, severity)
    AND @groups(alerts)
