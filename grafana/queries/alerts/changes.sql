-- Every change of the range, the newest first, with what was measured.
SELECT
    alerts.time AS time,
    alerts.severity AS severity,
    alerts.rule AS rule,
    alerts.level AS level,
    arrayStringConcat(arrayMap((name, value) -> concat(name, ' ', value), mapKeys(alerts.`group`), mapValues(alerts.`group`)), ', ') AS of,
    alerts.previous_state AS was,
    alerts.state AS state,
    alerts.reason AS reason,
    alerts.value AS value,
    alerts.threshold AS threshold,
    alerts.baseline AS baseline,
    alerts.unit AS unit,
    alerts.count AS count,
    alerts.summary AS summary,
    alerts.trace_ids[1] AS trace,
    alerts.link AS graph
FROM alerts
WHERE $__timeFilter(alerts.time)
    AND @filters(alerts: rule, severity)
    AND @groups(alerts)
ORDER BY alerts.time DESC
LIMIT 500
