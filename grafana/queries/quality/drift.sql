-- The mean score of the range against the seven days before it, by feature, prompt version and dimension.
SELECT
    if(scores.feature = '', '(none)', scores.feature) AS feature,
    if(scores.prompt_version = '', '(none)', scores.prompt_version) AS `prompt version`,
    scores.evaluator AS evaluator,
    scores.dimension AS dimension,
    toFloat64(sumIf(scores.score_sum, scores.time >= $__fromTime)) / sumIf(scores.scored, scores.time >= $__fromTime) AS mean,
    toFloat64(sumIf(scores.score_sum, scores.time < $__fromTime)) / nullIf(sumIf(scores.scored, scores.time < $__fromTime), 0) AS `week before`,
    (mean - `week before`) / nullIf(`week before`, 0) AS drift,
    sumIf(scores.scored, scores.time >= $__fromTime) AS scores
FROM scores_by_evaluator_1m AS scores
WHERE scores.scored > 0 AND scores.time >= $__fromTime - INTERVAL 7 DAY AND scores.time <= $__toTime
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY feature, `prompt version`, evaluator, dimension
HAVING scores > 0
ORDER BY drift NULLS LAST, mean
LIMIT 100
