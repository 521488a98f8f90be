-- Hallucinated answers over time by model, as stat_hallucinated counts them.
WITH
    lower(scores.label) IN ('pass', 'passed', 'ok', 'true', 'factual', 'faithful', 'grounded', 'supported') AS is_true,
    lower(scores.label) IN ('fail', 'failed', 'false', 'hallucinated', 'hallucination', 'unfaithful', 'ungrounded', 'unsupported', 'contradicted') AS is_untrue
SELECT
    @bucket(scores.time) AS time,
    if(scores.model = '', '(none)', scores.model) AS model,
    countIf(is_untrue OR (NOT is_true AND scores.score < 0.5)) / countIf(is_true OR is_untrue OR isNotNull(scores.score)) AS hallucinated
FROM evaluations AS scores
WHERE $__timeFilter(scores.time)
    AND match(scores.dimension, '(?i)hallucinat|factual|faithful|ground|truth|correct')
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY time, model
HAVING countIf(is_true OR is_untrue OR isNotNull(scores.score)) > 0
ORDER BY time, model
