-- How many tokens answers had: the share of calls in each bucket, above its first bound and not above its
-- second.
SELECT
    bucket.3 AS `output tokens`,
    arraySum(mapValues(mapFilter((le, calls) -> le > bucket.1 AND le <= bucket.2, counted.buckets)))
        / nullIf(arraySum(mapValues(counted.buckets)), 0) AS share
FROM
(
    SELECT sumMap(calls.output_token_buckets) AS buckets
    FROM histograms_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, provider, service)
) AS counted
ARRAY JOIN [
    (0, 1, '≤ 1'), (1, 4, '≤ 4'), (4, 16, '≤ 16'), (16, 64, '≤ 64'), (64, 256, '≤ 256'),
    (256, 1024, '≤ 1024'), (1024, 4096, '≤ 4096'), (4096, 16384, '≤ 16384'), (16384, 4294967295, '> 16384')
] AS bucket
