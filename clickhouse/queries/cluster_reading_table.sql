-- One table of all shards. Rows are written to the shards' own tables, never through it.
CREATE TABLE IF NOT EXISTS ${READING}.${TABLE} ON CLUSTER ${CLUSTER} AS ${DATABASE}.${TABLE}
ENGINE = Distributed(${CLUSTER}, ${DATABASE}, ${TABLE});
