-- The spans of the trace as Grafana's trace panel wants them.
SELECT *
FROM trace_waterfall(trace_id = @sql(traces/shown))
