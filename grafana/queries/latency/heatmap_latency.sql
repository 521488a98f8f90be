-- How long calls took over time: a series for each bucket, named by its lower bound in milliseconds. A cell
-- of a heatmap ends at its time.
SELECT
    counted.time + toIntervalSecond(@step) AS time,
    counted.buckets[10] AS `0`,
    counted.buckets[20] AS `10`,
    counted.buckets[40] AS `20`,
    counted.buckets[80] AS `40`,
    counted.buckets[160] AS `80`,
    counted.buckets[320] AS `160`,
    counted.buckets[640] AS `320`,
    counted.buckets[1280] AS `640`,
    counted.buckets[2560] AS `1280`,
    counted.buckets[5120] AS `2560`,
    counted.buckets[10240] AS `5120`,
    counted.buckets[20480] AS `10240`,
    counted.buckets[40960] AS `20480`,
    counted.buckets[81920] AS `40960`,
    arraySum(mapValues(mapFilter((le, calls) -> le > 81920, counted.buckets))) AS `81920`
FROM
(
    SELECT @bucket(calls.time) AS time, sumMap(calls.duration_buckets) AS buckets
    FROM histograms_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, provider, service)
    GROUP BY time
) AS counted
ORDER BY time
