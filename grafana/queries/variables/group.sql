-- The consumer groups of the pipeline that were seen in the range of time.
SELECT DISTINCT `group`
FROM observations
WHERE observation = 'lag' AND $__timeFilter(time)
ORDER BY `group`
