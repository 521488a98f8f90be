-- Changes of prices of the person's calls; the rollups that they moved stay as they are.
(hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String}))
OR (user = '' AND (tenant, trace_id) IN (
    SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
))
