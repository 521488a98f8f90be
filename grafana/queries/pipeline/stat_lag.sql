-- The lag of the group that is furthest behind, as it was seen last.
SELECT max(records) AS records
FROM
(
    SELECT argMax(seen.value, seen.time) AS records
    FROM observations AS seen
    WHERE seen.observation = 'lag' AND $__timeFilter(seen.time)
        AND @filters(seen: group, topic)
    GROUP BY seen.group, seen.topic
)
HAVING count() > 0
