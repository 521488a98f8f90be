-- The traces that started in the range, of which a span is of all that is chosen.
SELECT
    traces.start_time AS start,
    traces.trace_id AS trace,
    traces.root_name AS request,
    traces.root_service AS service,
    traces.root_endpoint AS endpoint,
    traces.duration_nano / 1000000 AS duration,
    traces.first_error_type AS error,
    traces.errors AS errors,
    traces.spans AS spans,
    traces.llm_calls AS calls,
    traces.input_tokens AS input,
    traces.output_tokens AS output,
    if(traces.unpriced > 0 AND traces.cost_usd = 0, NULL, traces.cost_usd) AS usd,
    traces.user AS user,
    traces.session AS session,
    traces.tenant AS tenant
FROM trace_totals(from = $__fromTime, to = $__toTime) AS traces
WHERE
    (
        (@unchosen(tenant, environment, model, feature, error))
        OR traces.trace_id IN
        (
            SELECT found.trace_id
            FROM (SELECT *, if(request_model = '', response_model, request_model) AS model FROM spans) AS found
            WHERE found.start_time >= $__fromTime AND found.start_time <= $__toTime + INTERVAL 1 HOUR
                AND @filters(found)
                AND $__conditionalAll(found.error_type IN (${error:singlequote}), $error)
        )
    )
    AND (@text(user) = '' OR traces.user = @text(user))
    AND (@text(session) = '' OR traces.session = @text(session))
    AND traces.duration_nano >= @number(min_duration, 0) * 1000000000
ORDER BY
    multiIf(${order:sqlstring} = 'cost', toFloat64(traces.cost_usd), ${order:sqlstring} = 'start', toFloat64(toUnixTimestamp64Nano(traces.start_time)), toFloat64(traces.duration_nano)) DESC
LIMIT 200
