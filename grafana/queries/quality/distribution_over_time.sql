-- How many scores lie in each twentieth of the scale, by its lower bound; a score of 1 counts with 0.95.
SELECT
    @bucket(scores.time) AS time,
    printf('%.2f', least(floor(assumeNotNull(scores.score) * 20 + 1e-9) / 20, 0.95)) AS from_score,
    count() AS scores
FROM evaluations AS scores
WHERE isNotNull(scores.score) AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, from_score
ORDER BY time, from_score
