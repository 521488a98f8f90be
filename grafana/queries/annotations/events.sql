-- What people and pipelines have told with `spanmeter annotate`.
SELECT time, ifNull(end_time, time) AS timeEnd, title, text, kind AS tags
FROM annotations
WHERE $__timeFilter(time)
ORDER BY time
LIMIT 200
