-- Of the answers whose truth was judged, the share that was judged untrue: by the label where it is one
-- of those below, else by a score below 0.5.
WITH
    lower(scores.label) IN ('pass', 'passed', 'ok', 'true', 'factual', 'faithful', 'grounded', 'supported') AS is_true,
    lower(scores.label) IN ('fail', 'failed', 'false', 'hallucinated', 'hallucination', 'unfaithful', 'ungrounded', 'unsupported', 'contradicted') AS is_untrue
SELECT countIf(is_untrue OR (NOT is_true AND scores.score < 0.5)) / nullIf(countIf(is_true OR is_untrue OR isNotNull(scores.score)), 0) AS hallucinated
FROM evaluations AS scores
WHERE $__timeFilter(scores.time)
    AND match(scores.dimension, '(?i)hallucinat|factual|faithful|ground|truth|correct')
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
