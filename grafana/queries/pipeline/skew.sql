-- How far the ends of spans lie after their receipt: 0 unless the clock of their service is ahead. P99, in
-- seconds; it reads spans, as the rule clock-skew does.
SELECT
    @bucket(spans.start_time) AS time,
    spans.service AS service,
    quantile(0.99)(greatest(0, toUnixTimestamp64Nano(spans.start_time) + spans.duration_nano - toUnixTimestamp64Nano(spans.received_time))) / 1000000000 AS seconds
FROM spans
WHERE $__timeFilter(spans.start_time)
    AND @filters(spans: tenant, environment, feature, service)
GROUP BY time, service
ORDER BY time, service
