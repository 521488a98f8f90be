-- Records that workers could not read, per minute.
WITH found AS
(
    SELECT
        @bucket(letters.time) AS time,
        letters.worker AS worker,
        letters.reason AS reason,
        count() * 60 / @step AS records
    FROM dead_letters AS letters
    WHERE $__timeFilter(letters.time)
        AND @filters(letters: worker, reason)
    GROUP BY time, worker, reason
    ORDER BY time, worker, reason
)
SELECT * FROM found
UNION ALL
SELECT $__toTime AS time, 'all' AS worker, 'none' AS reason, 0 AS records
WHERE (SELECT count() FROM found) = 0
