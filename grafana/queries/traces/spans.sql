-- The spans of the trace, in the order of their start.
WITH
    @sql(traces/shown) AS shown,
    (
        SELECT (min(traces.start_time), max(traces.end_time))
        FROM traces
        WHERE traces.trace_id = shown AND traces.trace_id != ''
    ) AS scope
SELECT
    (toUnixTimestamp64Nano(spans.start_time) - toUnixTimestamp64Nano(scope.1)) / 1000000 AS at,
    spans.name AS span,
    spans.service AS service,
    spans.kind AS kind,
    spans.duration_nano / 1000000 AS duration,
    times.self_nano / 1000000 AS `by itself`,
    if(times.is_critical, times.path_nano / 1000000, NULL) AS `on the path`,
    spans.time_to_first_token_nano / 1000000 AS `first token`,
    if(spans.request_model = '', spans.response_model, spans.request_model) AS model,
    spans.provider AS provider,
    spans.input_tokens AS input,
    spans.output_tokens AS output,
    spans.cost_usd AS usd,
    if(spans.price_status = 'not_applicable', '', spans.price_status) AS price,
    spans.error_type AS error,
    spans.status_message AS message,
    spans.tool AS tool,
    trimBoth(concat(spans.prompt_id, ' ', spans.prompt_version)) AS prompt,
    spans.span_id AS id
FROM spans
LEFT JOIN span_times(trace_ids = shown, from = scope.1, to = scope.2) AS times
    ON times.span_id = spans.span_id
PREWHERE spans.start_time >= scope.1 AND spans.start_time <= scope.2 AND spans.trace_id = shown
ORDER BY spans.start_time, times.depth
LIMIT 1000
