-- Dead letters by their names, with their bytes, each once.
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
    length(payload) AS bytes,
    base64Encode(payload) AS payload
FROM dead_letters
WHERE id IN {ids:Array(String)}
ORDER BY dead_letters.time, id
LIMIT 1 BY id
