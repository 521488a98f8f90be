-- The versions of prompts of scores in the range of time.
SELECT DISTINCT prompt_version
FROM scores_by_evaluator_1m
WHERE time >= toStartOfMinute($__fromTime) AND time <= $__toTime AND prompt_version != ''
ORDER BY prompt_version
