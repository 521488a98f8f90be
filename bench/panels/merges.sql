-- Merges that go on in a database.
SELECT count() AS merges FROM system.merges WHERE database = {database:String}
