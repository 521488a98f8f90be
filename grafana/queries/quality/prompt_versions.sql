-- The mean score of each prompt version.
SELECT
    @bucket(scores.time) AS time,
    if(scores.prompt_version = '', '(none)', trimLeft(concat(scores.prompt_id, ' ', scores.prompt_version))) AS prompt,
    toFloat64(sum(scores.score_sum)) / sum(scores.scored) AS mean
FROM scores_by_evaluator_1m AS scores
WHERE scores.scored > 0 AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, prompt
ORDER BY time, prompt
