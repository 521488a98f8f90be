-- The slow traces that started in [from, to), slowest first, at most limit of them, and how many there are.
SELECT
    tenant,
    trace_id,
    toUnixTimestamp64Milli(start_time) AS start_ms,
    endpoint,
    root_name,
    root_service,
    models,
    duration_ms,
    p95_ms,
    mapFilter((kind, ms) -> ms > 0, map(
        'llm', llm_ms,
        'embedding', embedding_ms,
        'retrieval', retrieval_ms,
        'rerank', rerank_ms,
        'tool', tool_ms,
        'agent', agent_ms,
        'other', other_ms,
        'waiting', waiting_ms
    )) AS path_ms,
    spans,
    errors,
    first_error_type,
    llm_calls,
    unpriced,
    toString(cost_usd) AS cost_usd,
    count() OVER () AS total
FROM slow_traces(
    from = {from:DateTime64(3, 'UTC')},
    to = {to:DateTime64(3, 'UTC')},
    tenants = {tenants:Array(String)},
    most = 4294967295
)
WHERE ({endpoint:String} = '' OR endpoint = {endpoint:String})
ORDER BY duration_ms DESC, trace_id
LIMIT {limit:UInt32};
