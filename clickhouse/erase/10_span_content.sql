-- What was said in the person's traces, but for spans that name somebody else.
(tenant, trace_id) IN (SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String})
AND (trace_id, span_id) NOT IN (
    SELECT trace_id, span_id FROM ${DATABASE}.spans
    WHERE user != '' AND hex(sipHash128(user)) != {hash:String}
        AND (tenant, trace_id) IN (
            SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
        )
)
