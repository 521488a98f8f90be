-- The tenants that made calls in the range of time.
SELECT DISTINCT tenant
FROM requests_by_model_1h
WHERE time >= toStartOfHour($__fromTime) AND time <= $__toTime AND tenant != ''
ORDER BY tenant
