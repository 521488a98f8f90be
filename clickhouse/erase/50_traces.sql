-- Summaries of traces of which no span is left: it comes after spans.
(tenant, trace_id) IN (SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String})
AND (tenant, trace_id) NOT IN (
    SELECT tenant, trace_id FROM ${DATABASE}.spans
    WHERE (tenant, trace_id) IN (
        SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
    )
)
