-- How many verdicts evaluators gave.
SELECT sum(scores.evaluations) AS verdicts
FROM scores_by_evaluator_1m AS scores
WHERE $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
