-- The share of model calls that failed, by type of error.
WITH calls_by_time AS
(
    SELECT @bucket(calls.time) AS time, sum(calls.requests) AS requests
    FROM requests_by_model(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls)
    GROUP BY time
)
SELECT
    calls_by_time.time AS time,
    if(failed.error_type = '', 'none', failed.error_type) AS error_type,
    ifNull(failed.errors, 0) / calls_by_time.requests AS share
FROM calls_by_time
LEFT JOIN
(
    SELECT @bucket(calls.time) AS time, calls.error_type AS error_type, sum(calls.errors) AS errors
    FROM errors_by_type(step_s = @step) AS calls
    WHERE calls.kind IN ('llm', 'embedding') AND $__timeFilter(calls.time)
        AND @filters(calls)
    GROUP BY time, error_type
) AS failed ON failed.time = calls_by_time.time
ORDER BY time, error_type
