-- Texts of a column that hold the pattern, by their hash, and how many rows have them.
SELECT hex(sipHash128(${TEXT})) AS hash, count() AS rows
FROM ${DATABASE}.${TABLE}
WHERE match(${TEXT}, {pattern:String}) AND ({every:Bool} OR ${TENANT} IN ('', {tenant:String}))
GROUP BY hash
LIMIT 100000
SETTINGS log_queries = 0;
