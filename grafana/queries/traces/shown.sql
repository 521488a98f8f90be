-- The trace that is asked for, else the slowest of the range; '' where there is none. As trace_totals has
-- it, of what is needed here alone: six panels ask for it.
SELECT max(trace_id)
FROM
(
    SELECT @text(trace) AS trace_id
    UNION ALL
    SELECT trace_id
    FROM
    (
        SELECT
            parts.trace_id AS trace_id,
            max(parts.tenant) AS tenant,
            toUnixTimestamp64Nano(max(parts.end_time)) - toUnixTimestamp64Nano(min(parts.start_time)) AS duration_nano
        FROM traces AS parts
        WHERE @text(trace) = ''
            AND parts.hour >= toStartOfHour($__fromTime) - INTERVAL 1 HOUR AND parts.hour < $__toTime + INTERVAL 1 HOUR
        GROUP BY parts.trace_id
        HAVING min(parts.start_time) >= $__fromTime AND min(parts.start_time) < $__toTime
    ) AS traces
    WHERE @filters(traces: tenant)
    ORDER BY traces.duration_nano DESC
    LIMIT 1
)
