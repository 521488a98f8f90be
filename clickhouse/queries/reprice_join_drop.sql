DROP TABLE IF EXISTS ${DATABASE}.price_corrections_join SYNC;
