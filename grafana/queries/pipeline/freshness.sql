-- How old spans were when they could be read: from receiving to landing, in milliseconds.
SELECT
    @bucket(landed.time) AS time,
    (quantilesDDMerge(0.01, 0.5, 0.95)(landed.freshness_ms) AS freshness)[1] AS P50,
    freshness[2] AS P95,
    max(landed.slowest_ms) AS slowest
FROM landings_1m AS landed
WHERE $__timeFilter(landed.time)
GROUP BY time
ORDER BY time
