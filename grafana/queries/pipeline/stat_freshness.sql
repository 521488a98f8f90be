-- P95 of how old spans of the range were when they could be read, in milliseconds.
SELECT quantilesDDMerge(0.01, 0.95)(landed.freshness_ms)[1] AS P95
FROM landings_1m AS landed
WHERE $__timeFilter(landed.time)
HAVING sum(landed.spans) > 0
