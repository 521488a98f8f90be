-- Hours with model calls that started in [from, to), and how many there are.
SELECT toUnixTimestamp(toStartOfHour(start_time)) AS hour, count() AS calls
FROM spans
WHERE kind IN {kinds:Array(String)}
    AND start_time >= {from:DateTime64(3, 'UTC')}
    AND start_time < {to:DateTime64(3, 'UTC')}
    AND landed_time < {as_of:DateTime64(3, 'UTC')}
    AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
    AND (
        empty({models:Array(String)})
        OR request_model IN {models:Array(String)}
        OR response_model IN {models:Array(String)}
    )
GROUP BY hour
ORDER BY hour;
