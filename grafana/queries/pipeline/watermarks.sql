-- How far event time lies behind the clock, of the worker that is furthest behind, in seconds.
SELECT
    @bucket(seen.time) AS time,
    seen.topic AS topic,
    max(seen.value) AS seconds
FROM observations AS seen
WHERE seen.observation = 'watermark_lag' AND $__timeFilter(seen.time)
    AND @filters(seen: topic)
GROUP BY time, topic
ORDER BY time, topic
