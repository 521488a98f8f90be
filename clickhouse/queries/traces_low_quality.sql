-- The traces of low quality that started in [from, to), worst first, at most limit of them, and how many
-- there are.
SELECT
    tenant,
    trace_id,
    toUnixTimestamp64Milli(start_time) AS start_ms,
    endpoint,
    root_name,
    root_service,
    models,
    prompts,
    lowest_score,
    evaluator,
    label,
    explanation,
    scores,
    low_scores,
    duration_ms,
    errors,
    llm_calls,
    unpriced,
    toString(cost_usd) AS cost_usd,
    count() OVER () AS total
FROM low_quality_traces(
    from = {from:DateTime64(3, 'UTC')},
    to = {to:DateTime64(3, 'UTC')},
    below = {below:Float64},
    evaluators = {evaluators:Array(String)},
    tenants = {tenants:Array(String)},
    most = 4294967295
)
WHERE ({endpoint:String} = '' OR endpoint = {endpoint:String})
ORDER BY ifNull(lowest_score, 2), start_ms, trace_id
LIMIT {limit:UInt32};
