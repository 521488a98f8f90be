-- The first record of [from, to) that an alert rule may look at, milliseconds since the epoch; 0 for none.
SELECT toInt64(ifNull(min(first_ms), 0)) AS first_ms
FROM
(
    SELECT minOrNull(toUnixTimestamp64Milli(start_time)) AS first_ms
    FROM spans
    WHERE start_time >= {from:DateTime64(3, 'UTC')} AND start_time < {to:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT minOrNull(toUnixTimestamp64Milli(time)) AS first_ms
    FROM evaluations
    WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    UNION ALL
    SELECT minOrNull(toUnixTimestamp64Milli(time)) AS first_ms
    FROM dead_letters
    WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
)
