-- The workers that have dead letters in the range of time.
SELECT DISTINCT worker
FROM dead_letters
WHERE $__timeFilter(time)
ORDER BY worker
