-- Spans and inserts per second, by the time when they landed.
SELECT
    @bucket(landed.time) AS time,
    sum(landed.spans) / @step AS spans,
    sum(landed.inserts) / @step AS inserts
FROM landings_1m AS landed
WHERE $__timeFilter(landed.time)
GROUP BY time
ORDER BY time
