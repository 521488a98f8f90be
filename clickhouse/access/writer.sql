-- The user writer is sink: it inserts where records arrive. A materialized view that does not say as
-- whom it reads runs as who inserts, so writer may read what such views read, which is what has just
-- been inserted and the rollups that other rollups are made from. It reads no spans and no content.
GRANT INSERT ON ${DATABASE}.${LANDING};
GRANT SELECT ON ${DATABASE}.${SOURCE};
-- Whoever notes a deployment (spanmeter annotate) does it as writer too.
GRANT SELECT, INSERT ON ${DATABASE}.annotations;
