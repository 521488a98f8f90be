-- Scores by the endpoint that the request came in by: that of the root of its trace, which may have begun a day before.
SELECT
    if(roots.endpoint = '', '(none)', roots.endpoint) AS endpoint,
    count(scores.score) AS scores,
    avg(scores.score) AS mean,
    countIf(scores.score < 0.65) / nullIf(count(scores.score), 0) AS low
FROM evaluations AS scores
LEFT JOIN
(
    SELECT traces.trace_id AS trace_id, max(traces.root_endpoint) AS endpoint
    FROM traces
    WHERE traces.hour >= toStartOfHour($__fromTime) - INTERVAL 1 DAY AND traces.hour <= $__toTime
        AND @filters(traces: tenant)
    GROUP BY trace_id
) AS roots ON roots.trace_id = scores.trace_id
WHERE $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY endpoint
HAVING count(scores.score) > 0
ORDER BY mean
LIMIT 50
