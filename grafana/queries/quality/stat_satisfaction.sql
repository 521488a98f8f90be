-- The mean of what users themselves said, as far as scores tell it: by the name of what was judged.
SELECT toFloat64(sum(scores.score_sum)) / nullIf(sum(scores.scored), 0) AS satisfaction
FROM scores_by_evaluator_1m AS scores
WHERE match(scores.dimension, '(?i)satisf|feedback|thumb|rating|csat|helpful') AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
