-- Takes note of the traces that a person is named in.
INSERT INTO ${DATABASE}.erasure_traces (user_hash, tenant, trace_id)
SELECT DISTINCT {hash:String}, tenant, trace_id
FROM
(
    SELECT tenant, trace_id FROM ${DATABASE}.spans WHERE hex(sipHash128(user)) = {hash:String}
    UNION ALL
    SELECT tenant, trace_id FROM ${DATABASE}.price_corrections WHERE hex(sipHash128(user)) = {hash:String}
    UNION ALL
    SELECT tenant, trace_id FROM ${DATABASE}.traces WHERE hex(sipHash128(user)) = {hash:String}
)
WHERE trace_id != ''
    AND ({every:Bool} OR tenant = {tenant:String})
    AND (tenant, trace_id) NOT IN (
        SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
    );
