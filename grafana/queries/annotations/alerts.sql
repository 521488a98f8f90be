-- Incidents: from firing to resolved, or until now. Those of every tenant are shown to who may see them.
SELECT
    min(firing_since) AS time,
    if(countIf(state = 'resolved') = 0, now64(3), max(alerts.time)) AS timeEnd,
    any(rule) AS title,
    argMax(summary, (state = 'firing', alerts.time)) AS text,
    any(severity) AS tags
FROM alerts
WHERE $__timeFilter(alerts.time) AND incident_id != ''
GROUP BY incident_id
ORDER BY time
LIMIT 200
