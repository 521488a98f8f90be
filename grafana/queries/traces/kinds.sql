-- The time of the trace by kind of span: on the critical path, which adds up to the trace's duration, and
-- by spans themselves, which may run at once.
SELECT
    times.kind AS kind,
    sum(times.path_nano) / 1000000 AS `on the path`,
    sum(times.self_nano) / 1000000 AS `by themselves`
FROM span_times(trace_id = @sql(traces/shown), from = toDateTime(0), to = toDateTime(0)) AS times
GROUP BY kind
ORDER BY `on the path` DESC
