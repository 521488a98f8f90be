-- The scores of each model and use case; percentiles are exact.
SELECT
    if(scores.model = '', '(none)', scores.model) AS model,
    if(scores.use_case = '', '(none)', scores.use_case) AS `use case`,
    scores.dimension AS dimension,
    count() AS scores,
    avg(assumeNotNull(scores.score)) AS mean,
    (quantilesExact(0.05, 0.5, 0.95)(assumeNotNull(scores.score)) AS percentiles)[1] AS P5,
    percentiles[2] AS P50,
    percentiles[3] AS P95
FROM evaluations AS scores
WHERE isNotNull(scores.score) AND $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY model, `use case`, dimension
ORDER BY mean
LIMIT 100
