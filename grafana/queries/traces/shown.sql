-- The trace that is asked for, else the slowest of the range; '' where there is none.
SELECT max(trace_id)
FROM
(
    SELECT @text(trace) AS trace_id
    UNION ALL
    SELECT trace_id
    FROM
    (
        SELECT traces.trace_id AS trace_id
        FROM trace_totals(from = $__fromTime, to = $__toTime) AS traces
        WHERE @text(trace) = '' AND @filters(traces: tenant)
        ORDER BY traces.duration_nano DESC
        LIMIT 1
    )
)
