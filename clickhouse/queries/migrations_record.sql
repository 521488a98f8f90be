INSERT INTO ${DATABASE}.schema_migrations (file, checksum) SELECT {file:String}, {checksum:String};
