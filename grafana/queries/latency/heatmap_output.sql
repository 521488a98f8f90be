-- How many tokens answers had over time: a series for each bucket, named by its lower bound. A cell of a
-- heatmap ends at its time.
SELECT
    counted.time + toIntervalSecond(@step) AS time,
    counted.buckets[1] AS `0`,
    counted.buckets[4] AS `1`,
    counted.buckets[16] AS `4`,
    counted.buckets[64] AS `16`,
    counted.buckets[256] AS `64`,
    counted.buckets[1024] AS `256`,
    counted.buckets[4096] AS `1024`,
    counted.buckets[16384] AS `4096`,
    arraySum(mapValues(mapFilter((le, calls) -> le > 16384, counted.buckets))) AS `16384`
FROM
(
    SELECT @bucket(calls.time) AS time, sumMap(calls.output_token_buckets) AS buckets
    FROM histograms_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls: tenant, environment, model, feature, provider, service)
    GROUP BY time
) AS counted
ORDER BY time
