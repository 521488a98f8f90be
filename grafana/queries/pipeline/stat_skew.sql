-- How far the clock of a service is ahead where it is most, P99 over the range, in seconds.
SELECT max(seconds) AS seconds
FROM
(
    SELECT quantile(0.99)(greatest(0, toUnixTimestamp64Nano(spans.start_time) + spans.duration_nano - toUnixTimestamp64Nano(spans.received_time))) / 1000000000 AS seconds
    FROM spans
    WHERE $__timeFilter(spans.start_time)
        AND @filters(spans: tenant, environment, feature, service)
    GROUP BY spans.service
)
HAVING count() > 0
