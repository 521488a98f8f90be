-- The types of errors of the range of time.
SELECT DISTINCT error_type
FROM errors_by_type(step_s = 3600)
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime
ORDER BY error_type
