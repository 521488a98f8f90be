-- The traces of low quality of the range, the worst first.
SELECT
    low.start_time AS start,
    low.trace_id AS trace,
    low.endpoint AS endpoint,
    low.lowest_score AS score,
    low.evaluator AS evaluator,
    low.label AS label,
    low.explanation AS explanation,
    arrayStringConcat(low.models, ', ') AS models,
    arrayStringConcat(low.prompts, ', ') AS prompts,
    low.duration_ms AS duration,
    if(low.unpriced > 0 AND low.cost_usd = 0, NULL, low.cost_usd) AS usd,
    low.tenant AS tenant
FROM low_quality_traces(from = $__fromTime, to = $__toTime, below = 0.65, evaluators = [], tenants = @chosen(tenant), most = 300) AS low
WHERE $__conditionalAll(hasAny(low.environments, [${environment:singlequote}]), $environment)
    AND $__conditionalAll(hasAny(low.models, [${model:singlequote}]), $model)
    AND $__conditionalAll(hasAny(low.features, [${feature:singlequote}]), $feature)
ORDER BY low.lowest_score NULLS LAST
LIMIT 100
