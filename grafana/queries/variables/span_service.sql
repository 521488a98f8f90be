-- The services whose spans came in the range of time.
SELECT DISTINCT service
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND service != ''
ORDER BY service
