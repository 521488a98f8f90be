-- Every column that may hold a text, of every table that keeps rows.
SELECT columns.table AS table, columns.name AS column, columns.type AS type, tables.engine AS engine,
    table IN (
        SELECT table FROM system.columns WHERE database = {database:String} AND name = 'tenant'
    ) AS has_tenant
FROM system.columns AS columns
INNER JOIN
(
    SELECT name, engine FROM system.tables WHERE database = {database:String}
) AS tables ON tables.name = columns.table
WHERE columns.database = {database:String}
    AND tables.engine LIKE '%MergeTree'
    AND columns.default_kind NOT IN ('ALIAS', 'EPHEMERAL')
    AND columns.type LIKE '%String%'
    AND columns.table NOT IN ('erasure_traces', 'schema_migrations')
ORDER BY table, columns.position;
