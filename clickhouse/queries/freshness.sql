-- From a span's arrival at ingest until ClickHouse had it, for spans that started in [from, to) and
-- arrived from `since` on.
SELECT
    quantileExact(0.5)(freshness_ms) AS p50_ms,
    quantileExact(0.95)(freshness_ms) AS p95_ms
FROM
(
    SELECT dateDiff('millisecond', received_time, landed_time) AS freshness_ms
    FROM spans
    WHERE start_time >= {from:DateTime('UTC')}
        AND start_time < {to:DateTime('UTC')}
        AND received_time >= {since:DateTime('UTC')}
);
