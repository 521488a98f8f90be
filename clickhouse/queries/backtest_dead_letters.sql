-- Dead letters of [from, to), as alert rules look at them, in the order of their times.
SELECT
    toUnixTimestamp64Nano(time) AS time_unix_nano,
    worker,
    source,
    reason,
    format
FROM dead_letters
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
ORDER BY time, worker, reason
