-- Who could not read what of the range, and why.
WITH found AS
(
    SELECT
        letters.worker AS worker,
        letters.reason AS reason,
        letters.source AS source,
        count() AS records,
        max(letters.time) AS last,
        argMax(letters.detail, letters.time) AS `last detail`
    FROM dead_letters AS letters
    WHERE $__timeFilter(letters.time)
        AND @filters(letters: worker, reason)
    GROUP BY worker, reason, source
    ORDER BY records DESC
    LIMIT 100
)
SELECT * FROM found
UNION ALL
SELECT '' AS worker, '(none)' AS reason, '' AS source, 0 AS records, toDateTime64($__toTime, 9, 'UTC') AS last, 'nothing was refused in this range' AS `last detail`
WHERE (SELECT count() FROM found) = 0
