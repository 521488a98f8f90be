-- The alerts that fire now, the gravest first, and of these the one that has fired longest.
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
FROM alerts_firing
ORDER BY indexOf(['critical', 'warning', 'info'], severity), firing_since, rule, level, summary;
