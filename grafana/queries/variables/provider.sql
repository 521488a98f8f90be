-- The providers of models that were called in the range of time.
SELECT DISTINCT provider
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND provider != ''
ORDER BY provider
