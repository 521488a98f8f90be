-- Every change of an alert that was decided in [from, to) by event time, in order (A1 to A8).
SELECT
    rule,
    level,
    `group`,
    state,
    severity,
    notify,
    time,
    firing_since,
    value,
    threshold,
    unit,
    summary,
    incident_id
FROM alerts
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
ORDER BY time, landed_time, indexOf(['inactive', 'pending', 'firing', 'resolved'], state), rule, level, alert_id;
