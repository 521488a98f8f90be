-- Spans of a page's traces that have two calls or more, so that one may be counted in the other: as far as [around_from, around_to), but no large traces.
SELECT
    trace_id,
    span_id,
    parent_span_id,
    multiIf(
        kind NOT IN {kinds:Array(String)}, 0,
        isNull(input_tokens) AND isNull(output_tokens), 1,
        2
    ) AS call
FROM spans
WHERE start_time >= {around_from:DateTime64(3, 'UTC')}
    AND start_time < {around_to:DateTime64(3, 'UTC')}
    AND landed_time < {as_of:DateTime64(3, 'UTC')}
    AND cityHash64(trace_id) % {pages:UInt64} = {page:UInt64}
    AND trace_id IN (
        SELECT trace_id
        FROM spans
        WHERE kind IN {kinds:Array(String)}
            AND start_time >= {around_from:DateTime64(3, 'UTC')}
            AND start_time < {around_to:DateTime64(3, 'UTC')}
            AND landed_time < {as_of:DateTime64(3, 'UTC')}
            AND cityHash64(trace_id) % {pages:UInt64} = {page:UInt64}
            AND trace_id NOT IN {large_traces:Array(String)}
        GROUP BY trace_id
        HAVING count() > 1
            AND countIf(isNotNull(input_tokens) OR isNotNull(output_tokens)) > 0
            AND countIf(
                start_time >= {from:DateTime64(3, 'UTC')}
                    AND start_time < {to:DateTime64(3, 'UTC')}
                    AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
                    AND (
                        empty({models:Array(String)})
                        OR request_model IN {models:Array(String)}
                        OR response_model IN {models:Array(String)}
                    )
            ) > 0
    );
