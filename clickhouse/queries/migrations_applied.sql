-- The checksum that each applied file had when it was last applied.
SELECT file, argMax(checksum, applied_at) AS checksum
FROM ${DATABASE}.schema_migrations
GROUP BY file
ORDER BY file;
