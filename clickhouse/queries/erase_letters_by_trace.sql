-- Dead letters that hold a span of the person's traces, in hexadecimal digits as JSON has them, or as the 16
-- bytes that come after tag and length in protobuf.
SELECT hex(sipHash128(payload)) AS hash, count() AS rows
FROM ${DATABASE}.dead_letters
WHERE hasAny(
    arrayConcat(
        arrayMap(id -> lower(id), extractAll(payload, '[0-9a-fA-F]{32}')),
        arrayMap(
            at -> lower(hex(substring(payload, at + 1, 16))),
            arrayCumSum(arrayMap(part -> toUInt64(length(part)) + 2, splitByString(unhex('0A10'), payload)))
        )
    ),
    (SELECT groupArray(trace_id) FROM ${DATABASE}.erasure_traces WHERE user_hash = {hash:String})
)
GROUP BY hash
LIMIT 100000
SETTINGS log_queries = 0;
