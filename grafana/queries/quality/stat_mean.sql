-- The mean of all scores, from 0 to 1.
SELECT toFloat64(sum(scores.score_sum)) / nullIf(sum(scores.scored), 0) AS `mean score`
FROM scores_by_evaluator_1m AS scores
WHERE $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
