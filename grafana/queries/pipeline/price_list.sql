-- How old the price list is, in days, by its version.
SELECT
    @bucket(seen.time) AS time,
    seen.topic AS version,
    max(seen.value) AS days
FROM observations AS seen
WHERE seen.observation = 'price_list_age' AND $__timeFilter(seen.time)
GROUP BY time, version
ORDER BY time, version
