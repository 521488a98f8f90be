-- The spans of a trace that have a place in its tree, parents before children, earlier ones first.
WITH (SELECT (min(start_time), max(end_time)) FROM traces WHERE trace_id = {trace_id:String}) AS scope
SELECT
    span_id,
    path[-2] AS parent_span_id,
    toUInt32(depth) AS depth,
    name,
    service,
    kind,
    model,
    error_type,
    toString(cost_usd) AS cost_usd,
    (start_nano - toUnixTimestamp64Nano(scope.1)) / 1000000 AS offset_ms,
    duration_nano / 1000000 AS duration_ms,
    self_nano / 1000000 AS self_ms,
    is_critical = 1 AS is_critical,
    path_nano / 1000000 AS path_ms
FROM span_times(trace_ids = {trace_id:String}, from = scope.1, to = scope.2)
ORDER BY depth, start_nano, span_id;
