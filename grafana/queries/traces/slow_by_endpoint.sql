-- Where slow traces spent their time, by endpoint: the mean time on the critical path by kind of span.
SELECT
    slow.endpoint AS endpoint,
    avg(slow.llm_ms) AS llm,
    avg(slow.embedding_ms) AS embedding,
    avg(slow.retrieval_ms) AS retrieval,
    avg(slow.rerank_ms) AS rerank,
    avg(slow.tool_ms) AS tool,
    avg(slow.agent_ms) AS agent,
    avg(slow.other_ms) AS other,
    avg(slow.waiting_ms) AS waiting
FROM slow_traces(from = $__fromTime, to = $__toTime, tenants = @chosen(tenant), most = 300) AS slow
WHERE $__conditionalAll(hasAny(slow.environments, [${environment:singlequote}]), $environment)
    AND $__conditionalAll(hasAny(slow.models, [${model:singlequote}]), $model)
    AND $__conditionalAll(hasAny(slow.features, [${feature:singlequote}]), $feature)
GROUP BY endpoint
ORDER BY avg(slow.duration_ms) DESC
LIMIT 20
