-- How long calls took: the share of calls in each bucket, above its first bound and not above its second.
SELECT
    bucket.3 AS `took`,
    arraySum(mapValues(mapFilter((le, calls) -> le > bucket.1 AND le <= bucket.2, counted.buckets)))
        / nullIf(arraySum(mapValues(counted.buckets)), 0) AS share
FROM
(
    SELECT sumMap(calls.duration_buckets) AS buckets
    FROM histograms_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, provider, service)
) AS counted
ARRAY JOIN [
    (0, 10, '≤ 10 ms'), (10, 20, '≤ 20 ms'), (20, 40, '≤ 40 ms'), (40, 80, '≤ 80 ms'), (80, 160, '≤ 160 ms'),
    (160, 320, '≤ 320 ms'), (320, 640, '≤ 640 ms'), (640, 1280, '≤ 1.3 s'), (1280, 2560, '≤ 2.6 s'),
    (2560, 5120, '≤ 5.1 s'), (5120, 10240, '≤ 10 s'), (10240, 20480, '≤ 20 s'), (20480, 40960, '≤ 41 s'),
    (40960, 81920, '≤ 82 s'), (81920, 4294967295, '> 82 s')
] AS bucket
