-- The environments that made calls in the range of time.
SELECT DISTINCT environment
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND environment != ''
ORDER BY environment
