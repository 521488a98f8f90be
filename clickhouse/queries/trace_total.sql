-- What a trace was in total; no row where there is no such trace.
SELECT
    max(parts.tenant) AS tenant,
    toUnixTimestamp64Milli(min(parts.start_time)) AS start_ms,
    (toUnixTimestamp64Nano(max(parts.end_time)) - toUnixTimestamp64Nano(min(parts.start_time))) / 1000000 AS duration_ms,
    sum(parts.spans) AS spans,
    sum(parts.errors) AS errors,
    sum(parts.llm_calls) AS llm_calls,
    sum(parts.unpriced) AS unpriced,
    toString(sum(parts.cost_usd)) AS cost_usd,
    max(parts.root_name) AS root_name,
    max(parts.root_service) AS root_service,
    max(parts.user) AS user,
    max(parts.session) AS session
FROM traces AS parts
WHERE trace_id = {trace_id:String}
GROUP BY trace_id;
