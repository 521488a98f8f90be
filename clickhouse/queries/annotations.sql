-- The annotation of an id, or, where id is empty, the newest ones: by event time, at most limit of them.
SELECT
    tenant,
    toUnixTimestamp64Milli(time) AS time_ms,
    toUnixTimestamp64Milli(end_time) AS end_time_ms,
    environment,
    kind,
    title,
    text,
    tags,
    author,
    id
FROM annotations
WHERE ({id:String} = '' OR id = {id:String})
    AND ({tenant:String} = '' OR tenant IN ('', {tenant:String}))
ORDER BY time DESC, written_time DESC, id
LIMIT {limit:UInt32};
