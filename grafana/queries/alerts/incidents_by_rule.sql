-- How many incidents of the range each rule began, the most first.
SELECT alerts.rule AS rule, uniqExact(alerts.incident_id) AS incidents
FROM alerts
WHERE $__timeFilter(alerts.time) AND alerts.state = 'firing'
    AND @filters(alerts: rule, severity)
    AND @groups(alerts)
GROUP BY rule
ORDER BY incidents DESC
LIMIT 30
