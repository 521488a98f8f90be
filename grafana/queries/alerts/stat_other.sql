-- Warnings and infos that fire now, whatever the range.
SELECT countIf(alerts.severity != 'critical') AS firing
FROM alerts_firing AS alerts
WHERE @filters(alerts: rule, severity)
    AND @groups(alerts)
