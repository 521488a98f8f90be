-- The incidents that fired at some time of the range, from firing to resolved or until now. Those of more
-- than 30 days are not looked for.
SELECT
    min(alerts.firing_since) AS started,
    if(countIf(alerts.state = 'resolved') = 0, NULL, max(alerts.time)) AS resolved,
    dateDiff('second', started, ifNull(resolved, now64(9))) AS lasted,
    argMax(alerts.severity, indexOf(['info', 'warning', 'critical'], alerts.severity)) AS severity,
    any(alerts.rule) AS rule,
    any(arrayStringConcat(arrayMap((name, value) -> concat(name, ' ', value), mapKeys(alerts.`group`), mapValues(alerts.`group`)), ', ')) AS of,
    argMin(alerts.summary, (alerts.state != 'firing', alerts.time)) AS summary,
    argMin(arrayStringConcat(arrayMap(one -> concat(one.dimension, ' ', one.name), arraySlice(alerts.contributors, 1, 3)), ', '), (alerts.state != 'firing', alerts.time)) AS `most by`,
    argMin(alerts.trace_ids[1], (alerts.state != 'firing', alerts.time)) AS trace,
    argMax(alerts.link, alerts.time) AS graph
FROM alerts
WHERE alerts.time >= $__fromTime - INTERVAL 30 DAY AND alerts.time <= $__toTime AND alerts.incident_id != ''
    AND @filters(alerts: rule, severity)
    AND @groups(alerts)
GROUP BY alerts.incident_id
HAVING isNotNull(started) AND (isNull(resolved) OR resolved >= $__fromTime)
ORDER BY started DESC
LIMIT 200
