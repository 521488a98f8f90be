-- What evaluators said of the trace; while none is asked for, what they said last.
SELECT
    scores.time AS time,
    scores.evaluator AS evaluator,
    scores.dimension AS dimension,
    scores.score AS score,
    scores.label AS label,
    scores.explanation AS explanation,
    scores.model AS model,
    scores.trace_id AS trace,
    scores.span_id AS span
FROM evaluations AS scores
WHERE if(@text(trace) = '', $__timeFilter(scores.time), scores.trace_id = @text(trace))
    AND @filters(scores)
ORDER BY scores.time DESC
LIMIT 50
