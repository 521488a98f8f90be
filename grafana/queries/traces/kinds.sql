-- The time of the trace by kind of span: on the critical path, which adds up to the trace's duration, and
-- by spans themselves, which may run at once.
WITH
    @sql(traces/shown) AS shown,
    (
        SELECT (min(traces.start_time), max(traces.end_time))
        FROM traces
        WHERE traces.trace_id = shown AND traces.trace_id != ''
    ) AS scope
SELECT
    times.kind AS kind,
    sum(times.path_nano) / 1000000 AS `on the path`,
    sum(times.self_nano) / 1000000 AS `by themselves`
FROM span_times(trace_ids = shown, from = scope.1, to = scope.2) AS times
GROUP BY kind
ORDER BY `on the path` DESC
