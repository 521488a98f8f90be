-- Why there are dead letters in the range of time.
SELECT DISTINCT reason
FROM dead_letters
WHERE $__timeFilter(time)
ORDER BY reason
