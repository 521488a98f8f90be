-- Dead letters of a choice without their bytes, the newest first, each once.
SELECT
    id,
    toUnixTimestamp64Milli(time) AS time_ms,
    worker,
    source,
    partition,
    offset,
    `index`,
    reason,
    detail,
    format,
    tenant,
    length(payload) AS bytes
FROM dead_letters
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND ({worker:String} = '' OR worker = {worker:String})
    AND ({reason:String} = '' OR reason = {reason:String})
    AND ({any_tenant:Bool} OR tenant = {tenant:String})
ORDER BY time DESC, worker, source, partition, offset, `index`, id
LIMIT 1 BY id
LIMIT {limit:UInt64}
