-- Each time that a person's data was erased (spanmeter erase): when, by whom, and what of. Answers: why has
-- this day fewer spans than its rollups tell, and may its rollups be made anew from its spans (they may not:
-- totals keep what was erased). It does not say of whom. A row of all tenants has none.
-- There are a few a month: one partition holds them all. Sorted by time, as all of them are read.
CREATE TABLE IF NOT EXISTS ${DATABASE}.erasures
(
    time DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'),
    tenant LowCardinality(String),
    id String,
    author String,
    days Array(Date),
    spans UInt64
)
ENGINE = MergeTree
ORDER BY time
SETTINGS non_replicated_deduplication_window = 10000;

-- Ids of the traces of a person whose data is being erased, by a hash of the name: what belongs to the
-- person and does not name them is found by these, also by a run that goes on where another was stopped.
-- Removed when nothing is left, and in any case after a month.
CREATE TABLE IF NOT EXISTS ${DATABASE}.erasure_traces
(
    user_hash String,
    tenant LowCardinality(String),
    trace_id String,
    time DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (user_hash, tenant, trace_id)
TTL time + INTERVAL 30 DAY
SETTINGS non_replicated_deduplication_window = 10000;
