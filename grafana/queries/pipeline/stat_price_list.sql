-- How old the price list was when that was seen last, in days: the oldest of those that workers use.
SELECT max(days) AS days
FROM
(
    SELECT argMax(seen.value, seen.time) AS days
    FROM observations AS seen
    WHERE seen.observation = 'price_list_age' AND $__timeFilter(seen.time)
    GROUP BY seen.worker
)
HAVING count() > 0
