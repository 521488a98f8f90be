-- Whether a table has rows in a partition.
SELECT count() AS parts
FROM system.parts
WHERE database = {database:String} AND table = {table:String} AND partition_id = {partition:String} AND active;
