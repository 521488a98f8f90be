-- P50, P95 and P99 of all calls, and what P95 usually is: the median of the 60 points before, give or take
-- three times their median distance from it, which is about two standard deviations, but a few wild points
-- do not widen it. Of fewer than ten points nothing is usual.
WITH points AS
(
    SELECT
        @bucket(calls.time) AS time,
        quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(calls.duration_ms) AS latency
    FROM requests_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding')
        AND calls.time >= $__fromTime - toIntervalSecond(60 * @step) AND calls.time <= $__toTime
        AND @filters(calls: tenant, environment, model, feature, provider, service)
    GROUP BY time
)
SELECT
    banded.time AS time,
    banded.latency[1] AS P50,
    banded.latency[2] AS P95,
    banded.latency[3] AS P99,
    if(length(banded.earlier) < 10, NULL, greatest(banded.usual - 3 * banded.spread, 0)) AS `usual from`,
    if(length(banded.earlier) < 10, NULL, banded.usual + 3 * banded.spread) AS `usual to`
FROM
(
    SELECT
        *,
        groupArray(points.latency[2]) OVER (ORDER BY points.time ROWS BETWEEN 60 PRECEDING AND 1 PRECEDING) AS earlier,
        arrayReduce('medianExact', earlier) AS usual,
        arrayReduce('medianExact', arrayMap(p95 -> abs(p95 - usual), earlier)) AS spread
    FROM points
) AS banded
WHERE banded.time > $__fromTime - toIntervalSecond(@step)
ORDER BY time
