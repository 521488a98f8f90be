-- What people did: deploys, changes of configuration, incidents, notes. Answers: what happened when the
-- graph bent (D3). A row is a moment, or with end_time a stretch of time; one without a tenant is of
-- all tenants, one without an environment of all environments. Sorted by tenant and time, as all that
-- dashboards overlay it on.
-- There are a few a day: one partition holds them all, so that an id is known again whatever its time
-- is, and rows expire one by one. Whoever writes names the insert by the row's id, so that a repeat has
-- no effect (queries/annotation_insert.sql).
CREATE TABLE IF NOT EXISTS ${DATABASE}.annotations
(
    tenant LowCardinality(String),
    time DateTime64(3, 'UTC'),
    end_time Nullable(DateTime64(3, 'UTC')),
    environment LowCardinality(String),
    kind LowCardinality(String),
    title String,
    text String,
    tags Map(String, String),
    author String,
    id String,
    written_time DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, time)
SETTINGS non_replicated_deduplication_window = 10000;
