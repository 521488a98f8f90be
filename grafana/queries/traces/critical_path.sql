-- The spans that decided how long the trace took, and the time when none of them ran.
SELECT
    steps.offset_ms AS at,
    steps.name AS span,
    steps.service AS service,
    steps.kind AS kind,
    steps.model AS model,
    steps.duration_ms AS duration,
    steps.path_ms AS `on the path`,
    steps.share AS share,
    steps.error_type AS error
FROM critical_path(trace_id = @sql(traces/shown)) AS steps
LIMIT 500
