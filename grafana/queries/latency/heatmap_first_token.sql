-- The time to the first token of calls that tell it over time: a series for each bucket, named by its lower
-- bound in milliseconds. A cell of a heatmap ends at its time.
SELECT
    counted.time + toIntervalSecond(@step) AS time,
    counted.buckets[1] AS `0`,
    counted.buckets[5] AS `1`,
    counted.buckets[10] AS `5`,
    counted.buckets[20] AS `10`,
    counted.buckets[40] AS `20`,
    counted.buckets[60] AS `40`,
    counted.buckets[80] AS `60`,
    counted.buckets[100] AS `80`,
    counted.buckets[250] AS `100`,
    counted.buckets[500] AS `250`,
    counted.buckets[750] AS `500`,
    counted.buckets[1000] AS `750`,
    counted.buckets[2500] AS `1000`,
    counted.buckets[5000] AS `2500`,
    counted.buckets[7500] AS `5000`,
    counted.buckets[10000] AS `7500`,
    arraySum(mapValues(mapFilter((le, calls) -> le > 10000, counted.buckets))) AS `10000`
FROM
(
    SELECT @bucket(calls.time) AS time, sumMap(calls.first_token_buckets) AS buckets
    FROM histograms_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, provider, service)
    GROUP BY time
) AS counted
ORDER BY time
