-- How many records each consumer group still has to read of its topic: the most that was seen at a time.
SELECT
    @bucket(seen.time) AS time,
    seen.group AS reader,
    seen.topic AS topic,
    max(seen.value) AS records
FROM observations AS seen
WHERE seen.observation = 'lag' AND $__timeFilter(seen.time)
    AND @filters(seen: group, topic)
GROUP BY time, reader, topic
ORDER BY time, reader, topic
