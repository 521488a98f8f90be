-- The mean score of each evaluator's dimension.
SELECT
    @bucket(scores.time) AS time,
    if(scores.evaluator = scores.dimension, scores.evaluator, concat(scores.evaluator, ' ', scores.dimension)) AS score,
    toFloat64(sum(scores.score_sum)) / sum(scores.scored) AS mean
FROM scores_by_evaluator_1m AS scores
WHERE scores.scored > 0 AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, score
ORDER BY time, score
