-- Lag of each group, as it was seen last and at most in the range.
SELECT
    seen.group AS group,
    seen.topic AS topic,
    argMax(seen.value, seen.time) AS `now`,
    max(seen.value) AS most,
    avg(seen.value) AS mean,
    max(seen.time) AS seen
FROM observations AS seen
WHERE seen.observation = 'lag' AND $__timeFilter(seen.time)
    AND @filters(seen: group, topic)
GROUP BY group, topic
ORDER BY `now` DESC, most DESC
