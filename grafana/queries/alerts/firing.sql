-- The alerts that fire now, whatever the range: the gravest first, and of these the one that has fired longest.
SELECT
    alerts.severity AS severity,
    alerts.rule AS rule,
    alerts.level AS level,
    arrayStringConcat(arrayMap((name, value) -> concat(name, ' ', value), mapKeys(alerts.`group`), mapValues(alerts.`group`)), ', ') AS of,
    alerts.firing_since AS since,
    dateDiff('second', alerts.firing_since, now64(9)) AS for,
    alerts.summary AS summary,
    alerts.muted_by AS `muted by`,
    alerts.trace_ids[1] AS trace,
    alerts.link AS graph
FROM alerts_firing AS alerts
WHERE @filters(alerts: rule, severity)
    AND @groups(alerts)
ORDER BY indexOf(['critical', 'warning', 'info'], severity), since
LIMIT 200
