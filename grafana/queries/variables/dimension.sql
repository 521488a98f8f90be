-- The dimensions of scores in the range of time.
SELECT DISTINCT dimension
FROM scores_by_evaluator_1m
WHERE time >= toStartOfMinute($__fromTime) AND time <= $__toTime AND dimension != ''
ORDER BY dimension
