-- Whether the server keeps a log of queries that this user may see.
SELECT count() AS tables FROM system.tables WHERE database = 'system' AND name = 'query_log';
