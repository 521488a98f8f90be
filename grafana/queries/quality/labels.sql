-- How often evaluators gave each label, per hour.
SELECT
    @bucket(scores.time) AS time,
    concat(scores.dimension, ' ', scores.label) AS label,
    sum(scores.evaluations) * 3600 / @step AS verdicts
FROM scores_by_evaluator_1m AS scores
WHERE scores.label != '' AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, label
ORDER BY time, label
