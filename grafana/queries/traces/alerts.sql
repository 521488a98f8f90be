-- The alerts that name the trace; while none is asked for, those of the range that name any.
SELECT
    alerts.time AS time,
    alerts.severity AS severity,
    alerts.rule AS rule,
    alerts.state AS state,
    alerts.summary AS summary,
    alerts.link AS graph,
    alerts.trace_ids[1] AS trace
FROM alerts
WHERE if(@text(trace) = '', notEmpty(alerts.trace_ids) AND $__timeFilter(alerts.time), has(alerts.trace_ids, @text(trace)))
    AND alerts.state IN ('firing', 'resolved')
ORDER BY alerts.time DESC
LIMIT 50
