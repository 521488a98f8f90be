-- The trace that is shown, in one row.
SELECT
    traces.trace_id AS trace,
    traces.start_time AS start,
    traces.duration_ms AS duration,
    traces.root_name AS request,
    traces.root_service AS service,
    traces.tenant AS tenant,
    traces.user AS user,
    traces.session AS session,
    traces.spans AS spans,
    traces.llm_calls AS calls,
    traces.errors AS errors,
    traces.first_error_type AS `first error`,
    traces.input_tokens AS input,
    traces.output_tokens AS output,
    if(traces.unpriced > 0 AND traces.cost_usd = 0, NULL, traces.cost_usd) AS usd,
    traces.unpriced AS unpriced
FROM trace_summaries AS traces
WHERE traces.trace_id = @sql(traces/shown) AND traces.trace_id != ''
