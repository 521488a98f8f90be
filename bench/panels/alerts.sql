-- So many incidents over 30 days, each from firing to resolved.
INSERT INTO ${DATABASE}.alerts_landing
    (alert_id, incident_id, rule, level, `group`, state, previous_state, reason, severity, notify, time_unix_nano,
     firing_since_unix_nano, window_start_unix_nano, window_end_unix_nano, value, threshold, count, unit, summary, trace_ids)
WITH
    intDiv(number, 2) AS incident,
    number % 2 = 0 AS is_start,
    {first_ns:Int64} + toInt64(incident * {incident_ns:Int64}) AS start_ns
SELECT
    concat('alert-', toString(number)),
    concat('incident-', toString(incident)),
    ['error-rate', 'latency-p95', 'spend-hour', 'quality'][1 + incident % 4],
    '',
    map('tenant', concat('tenant-', toString(1 + incident % 50)), 'model', concat('model-', toString(incident % 10))),
    if(is_start, 'firing', 'resolved'),
    if(is_start, 'pending', 'firing'),
    'bench',
    ['warning', 'critical'][1 + incident % 2],
    true,
    if(is_start, start_ns, start_ns + 900000000000) AS time_unix_nano,
    start_ns,
    time_unix_nano - 600000000000,
    time_unix_nano,
    0.07,
    0.05,
    100,
    'ratio',
    'Calls fail',
    [lower(hex(cityHash64('trace', incident * 100))) || lower(hex(cityHash64('more', incident * 100)))]
FROM numbers({changes:UInt64})
