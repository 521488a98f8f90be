-- The share of each model's scores in each twentieth of the scale, by its lower bound.
SELECT
    printf('%.2f', least(floor(assumeNotNull(scores.score) * 20 + 1e-9) / 20, 0.95)) AS score,
    if(scores.model = '', '(none)', scores.model) AS model,
    count() / sum(count()) OVER (PARTITION BY model) AS share
FROM evaluations AS scores
WHERE isNotNull(scores.score) AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY score, model
ORDER BY score, model
