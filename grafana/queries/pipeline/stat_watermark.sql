-- How far event time lies behind the clock where it does most, as it was seen last, in seconds.
SELECT max(seconds) AS seconds
FROM
(
    SELECT argMax(seen.value, seen.time) AS seconds
    FROM observations AS seen
    WHERE seen.observation = 'watermark_lag' AND $__timeFilter(seen.time)
        AND @filters(seen: topic)
    GROUP BY seen.topic, seen.worker
)
HAVING count() > 0
