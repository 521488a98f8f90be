-- The slowest traces that started in [from, to), at most limit of them (M1).
SELECT
    tenant,
    trace_id,
    min(parts.start_time) AS start_time,
    (toUnixTimestamp64Nano(max(parts.end_time)) - toUnixTimestamp64Nano(min(parts.start_time))) / 1000000 AS duration_ms,
    sum(parts.spans) AS spans,
    sum(parts.errors) AS errors,
    toString(sum(parts.cost_usd)) AS cost_usd,
    max(parts.root_name) AS root_name,
    max(parts.root_service) AS root_service,
    argMinMerge(parts.first_error) AS first_error_type
FROM traces AS parts
WHERE hour >= toStartOfHour({from:DateTime('UTC')}) AND hour < {to:DateTime('UTC')}
GROUP BY tenant, trace_id
HAVING start_time >= {from:DateTime('UTC')} AND start_time < {to:DateTime('UTC')}
ORDER BY duration_ms DESC
LIMIT {limit:UInt32};
