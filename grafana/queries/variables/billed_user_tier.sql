-- The tiers of users who made calls in the range of time.
SELECT DISTINCT user_tier
FROM cost_by_user_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND user_tier != ''
ORDER BY user_tier
