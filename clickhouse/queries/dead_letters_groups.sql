-- Dead letters of a choice by what they have in common, the newest cause first.
SELECT
    worker,
    source,
    reason,
    tenant,
    uniqExact(id) AS letters,
    toUnixTimestamp64Milli(min(time)) AS first_ms,
    toUnixTimestamp64Milli(max(time)) AS last_ms,
    argMax(detail, time) AS last_detail
FROM dead_letters
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND ({worker:String} = '' OR worker = {worker:String})
    AND ({reason:String} = '' OR reason = {reason:String})
    AND ({any_tenant:Bool} OR tenant = {tenant:String})
GROUP BY worker, source, reason, tenant
ORDER BY last_ms DESC, worker, source, reason, tenant
