-- The share of scores below 0.65, where the rule quality fires for a mean.
SELECT countIf(scores.score < 0.65) / nullIf(count(scores.score), 0) AS `low scores`
FROM evaluations AS scores
WHERE $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
