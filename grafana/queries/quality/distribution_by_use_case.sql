-- The share of each use case's scores in each twentieth of the scale, by its lower bound.
SELECT
    printf('%.2f', least(floor(assumeNotNull(scores.score) * 20 + 1e-9) / 20, 0.95)) AS score,
    if(scores.use_case = '', '(none)', scores.use_case) AS use_case,
    count() / sum(count()) OVER (PARTITION BY use_case) AS share
FROM evaluations AS scores
WHERE isNotNull(scores.score) AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY score, use_case
ORDER BY score, use_case
