-- Scores that were given in [from, to), as alert rules look at them, in the order of their times; one of
-- the future counts as from when it came.
SELECT
    toUnixTimestamp64Nano(time) AS time_unix_nano,
    toUnixTimestamp64Nano(received_time) AS received_time_unix_nano,
    score,
    * EXCEPT (time, received_time, score)
FROM evaluations
WHERE least(time, received_time) >= {from:DateTime64(3, 'UTC')}
    AND least(time, received_time) < {to:DateTime64(3, 'UTC')}
ORDER BY time, trace_id, span_id, evaluator, dimension
