-- The mean score of each feature, of all that evaluators judge.
SELECT
    @bucket(scores.time) AS time,
    if(scores.feature = '', '(none)', scores.feature) AS feature,
    toFloat64(sum(scores.score_sum)) / sum(scores.scored) AS mean
FROM scores_by_evaluator_1m AS scores
WHERE scores.scored > 0 AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, feature
ORDER BY time, feature
