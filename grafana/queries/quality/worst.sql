-- The worst answers: those with a score, from the lowest on, then those with a bad label alone.
SELECT
    scores.time AS time,
    scores.score AS score,
    scores.dimension AS dimension,
    scores.label AS label,
    scores.explanation AS explanation,
    scores.feature AS feature,
    scores.model AS model,
    scores.prompt_version AS `prompt version`,
    scores.user_tier AS tier,
    scores.tenant AS tenant,
    scores.trace_id AS trace
FROM evaluations AS scores
WHERE (scores.score < 0.65 OR (isNull(scores.score) AND scores.label NOT IN ('', 'pass', 'ok'))) AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
ORDER BY score NULLS LAST, time DESC
LIMIT 100
