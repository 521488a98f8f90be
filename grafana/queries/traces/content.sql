-- What was said in the trace; while none is asked for, what was said last. It is kept of a part of spans only.
SELECT
    said.start_time AS time,
    said.prompt AS prompt,
    said.completion AS completion,
    if(empty(said.content), '', toJSONString(said.content)) AS other,
    said.trace_id AS trace,
    said.span_id AS span
FROM span_content AS said
WHERE if(@text(trace) = '', $__timeFilter(said.start_time), said.trace_id = @text(trace))
    AND @filters(said: tenant)
ORDER BY if(@text(trace) = '', -toUnixTimestamp64Nano(said.start_time), toUnixTimestamp64Nano(said.start_time))
LIMIT 50
