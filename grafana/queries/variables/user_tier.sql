-- The tiers of users of scores in the range of time.
SELECT DISTINCT user_tier
FROM scores_by_evaluator_1m
WHERE time >= toStartOfMinute($__fromTime) AND time <= $__toTime AND user_tier != ''
ORDER BY user_tier
