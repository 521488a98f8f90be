-- The time to the first token of calls that tell it: the share of calls in each bucket, above its first
-- bound and not above its second.
SELECT
    bucket.3 AS `first token after`,
    arraySum(mapValues(mapFilter((le, calls) -> le > bucket.1 AND le <= bucket.2, counted.buckets)))
        / nullIf(arraySum(mapValues(counted.buckets)), 0) AS share
FROM
(
    SELECT sumMap(calls.first_token_buckets) AS buckets
    FROM histograms_between(from = $__fromTime, to = $__toTime) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND @filters(calls: tenant, environment, model, feature, provider, service)
) AS counted
ARRAY JOIN [
    (0, 1, '≤ 1 ms'), (1, 5, '≤ 5 ms'), (5, 10, '≤ 10 ms'), (10, 20, '≤ 20 ms'), (20, 40, '≤ 40 ms'),
    (40, 60, '≤ 60 ms'), (60, 80, '≤ 80 ms'), (80, 100, '≤ 100 ms'), (100, 250, '≤ 250 ms'),
    (250, 500, '≤ 500 ms'), (500, 750, '≤ 750 ms'), (750, 1000, '≤ 1 s'), (1000, 2500, '≤ 2.5 s'),
    (2500, 5000, '≤ 5 s'), (5000, 7500, '≤ 7.5 s'), (7500, 10000, '≤ 10 s'), (10000, 4294967295, '> 10 s')
] AS bucket
