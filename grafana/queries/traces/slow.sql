-- The traces of the range above the P95 of their endpoint, the slowest first, with their time on the
-- critical path by kind of span.
SELECT
    slow.start_time AS start,
    slow.trace_id AS trace,
    slow.endpoint AS endpoint,
    slow.duration_ms AS duration,
    slow.p95_ms AS P95,
    slow.llm_ms AS llm,
    slow.embedding_ms AS embedding,
    slow.retrieval_ms AS retrieval,
    slow.rerank_ms AS rerank,
    slow.tool_ms AS tool,
    slow.agent_ms AS agent,
    slow.other_ms AS other,
    slow.waiting_ms AS waiting,
    slow.first_error_type AS error,
    arrayStringConcat(slow.models, ', ') AS models,
    if(slow.unpriced > 0 AND slow.cost_usd = 0, NULL, slow.cost_usd) AS usd,
    slow.tenant AS tenant
FROM slow_traces(from = $__fromTime, to = $__toTime, tenants = @chosen(tenant), most = 300) AS slow
WHERE $__conditionalAll(hasAny(slow.environments, [${environment:singlequote}]), $environment)
    AND $__conditionalAll(hasAny(slow.models, [${model:singlequote}]), $model)
    AND $__conditionalAll(hasAny(slow.features, [${feature:singlequote}]), $feature)
ORDER BY slow.duration_ms DESC
LIMIT 100
