-- The topics that were observed in the range of time.
SELECT DISTINCT topic
FROM observations
WHERE observation IN ('lag', 'watermark_lag') AND $__timeFilter(time)
ORDER BY topic
