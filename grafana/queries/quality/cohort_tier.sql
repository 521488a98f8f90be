-- Scores by the tier of users: as the score tells it, else as spans of its trace do, which may have begun a day
-- before. evaluated_spans, which knows the very span, is not asked, because it passes over all spans.
WITH cohorts AS
(
    SELECT spans.trace_id AS trace_id, max(spans.user_tier::String) AS tier
    FROM spans
    WHERE spans.start_time >= $__fromTime - INTERVAL 1 DAY AND spans.start_time <= $__toTime
        AND spans.trace_id IN
        (
            SELECT trace_id
            FROM evaluations AS scores
            WHERE scores.user_tier = '' AND scores.trace_id != '' AND $__timeFilter(scores.time)
        )
    GROUP BY trace_id
)
SELECT
    coalesce(nullIf(scores.user_tier, ''), nullIf(cohorts.tier, ''), '(none)') AS tier,
    count(scores.score) AS scores,
    avg(scores.score) AS mean,
    countIf(scores.score < 0.65) / nullIf(count(scores.score), 0) AS low
FROM evaluations AS scores
LEFT JOIN cohorts ON cohorts.trace_id = scores.trace_id
WHERE $__timeFilter(scores.time)
    AND @filters(scores: tenant, environment, model, feature, evaluator, dimension, user_tier, prompt_version)
GROUP BY tier
HAVING count(scores.score) > 0
ORDER BY mean
LIMIT 50
