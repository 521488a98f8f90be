-- Scores of the person's spans, and of spans of the person's traces that name nobody.
(hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String}))
OR (user = '' AND (tenant, trace_id) IN (
    SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
))
