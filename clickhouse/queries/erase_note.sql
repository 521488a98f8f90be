-- Notes that spans of some days are about to be removed; where there are none, nothing.
INSERT INTO ${DATABASE}.erasures (tenant, id, author, days, spans)
SELECT {tenant:String}, {id:String}, {author:String}, arraySort(groupUniqArray(toDate(start_time))), count()
FROM ${DATABASE}.spans
WHERE (hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String}))
    OR (user = '' AND (tenant, trace_id) IN (
        SELECT tenant, trace_id FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String}
    ))
HAVING count() > 0;
