-- The versions of prompts that calls were made with in the range of time.
SELECT DISTINCT prompt_version
FROM cost_by_user_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND prompt_version != ''
ORDER BY prompt_version
