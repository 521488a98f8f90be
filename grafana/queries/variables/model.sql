-- The models that made calls in the range of time.
SELECT DISTINCT model
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND model != ''
ORDER BY model
