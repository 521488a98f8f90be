-- How long incidents that were resolved in the range had lasted: the median, in seconds.
SELECT if(count() = 0, NULL, quantileExact(0.5)(dateDiff('second', assumeNotNull(alerts.firing_since), alerts.time))) AS lasted
FROM alerts
WHERE $__timeFilter(alerts.time) AND alerts.state = 'resolved' AND isNotNull(alerts.firing_since)
    AND @filters(alerts: rule, severity)
    AND @groups(alerts)
