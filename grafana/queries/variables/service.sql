-- The services that called models in the range of time.
SELECT DISTINCT service
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND service != '' AND kind IN ('llm', 'embedding')
ORDER BY service
