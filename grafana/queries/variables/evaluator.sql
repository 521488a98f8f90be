-- The evaluators of scores in the range of time.
SELECT DISTINCT evaluator
FROM scores_by_evaluator_1m
WHERE time >= toStartOfMinute($__fromTime) AND time <= $__toTime AND evaluator != ''
ORDER BY evaluator
