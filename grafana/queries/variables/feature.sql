-- The features that made calls in the range of time.
SELECT DISTINCT feature
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND feature != ''
ORDER BY feature
