-- What the tables of this database take.
SELECT
    tables.name AS table,
    tables.total_rows AS rows,
    tables.total_bytes AS size,
    tables.total_bytes / nullIf(tables.total_rows, 0) AS `size of a row`,
    tables.active_parts AS parts
FROM system.tables AS tables
WHERE tables.database = currentDatabase() AND tables.total_bytes > 0
ORDER BY size DESC
