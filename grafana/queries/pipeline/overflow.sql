-- Aggregates of alert rules that found no room for a group of their own, per minute.
SELECT
    @bucket(seen.time) AS time,
    sum(seen.value) * 60 / @step AS aggregates
FROM observations AS seen
WHERE seen.observation = 'groups_overflow' AND $__timeFilter(seen.time)
GROUP BY time
ORDER BY time
