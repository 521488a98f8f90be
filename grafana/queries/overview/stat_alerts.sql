-- Alerts that fire now, whatever the range.
SELECT count() AS firing
FROM alerts_firing AS alerts
WHERE @groups(alerts)
