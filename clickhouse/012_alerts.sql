-- Where changes of alerts arrive. As spans_landing does it keeps nothing, and its columns are the fields
-- of schemas/alert.avsc.
CREATE TABLE IF NOT EXISTS ${DATABASE}.alerts_landing
(
    alert_id String,
    incident_id String,
    rule String,
    level String,
    `group` Map(String, String),
    state String,
    previous_state String,
    reason String,
    severity String,
    notify Bool,
    muted_by String,
    time_unix_nano Int64,
    firing_since_unix_nano Int64,
    window_start_unix_nano Int64,
    window_end_unix_nano Int64,
    value Nullable(Float64),
    threshold Nullable(Float64),
    baseline Nullable(Float64),
    count Int64,
    unit String,
    summary String,
    labels Map(String, String),
    annotations Map(String, String),
    contributors Array(Tuple(dimension String, name String, value Float64)),
    trace_ids Array(String),
    link String
)
ENGINE = Null;

-- Every change of the state of every alert, with its evidence. Answers: when did this rule fire, for
-- whom, and what was measured (A1 to A8). Sorted by rule and time because a person looks at one rule;
-- all rules of a range of time are few rows. Expires with the rollups that it was measured by.
-- What an alert has not, such as the start of an incident while it is pending, is null.
CREATE TABLE IF NOT EXISTS ${DATABASE}.alerts
(
    rule LowCardinality(String),
    time DateTime64(9, 'UTC'),
    level LowCardinality(String),
    `group` Map(String, String),
    alert_id String,
    incident_id String,
    state LowCardinality(String),
    previous_state LowCardinality(String),
    reason LowCardinality(String),
    severity LowCardinality(String),
    notify Bool,
    muted_by String,
    firing_since Nullable(DateTime64(9, 'UTC')),
    window_start Nullable(DateTime64(9, 'UTC')),
    window_end Nullable(DateTime64(9, 'UTC')),
    value Nullable(Float64),
    threshold Nullable(Float64),
    baseline Nullable(Float64),
    count Int64,
    unit LowCardinality(String),
    summary String,
    labels Map(String, String),
    annotations Map(String, String),
    contributors Array(Tuple(dimension String, name String, value Float64)),
    trace_ids Array(String),
    link String,
    landed_time DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (rule, time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.alerts_mv TO ${DATABASE}.alerts AS
SELECT
    * EXCEPT (time_unix_nano, firing_since_unix_nano, window_start_unix_nano, window_end_unix_nano),
    fromUnixTimestamp64Nano(time_unix_nano, 'UTC') AS time,
    if(firing_since_unix_nano = 0, NULL, fromUnixTimestamp64Nano(firing_since_unix_nano, 'UTC')) AS firing_since,
    if(window_start_unix_nano = 0, NULL, fromUnixTimestamp64Nano(window_start_unix_nano, 'UTC')) AS window_start,
    if(window_end_unix_nano = 0, NULL, fromUnixTimestamp64Nano(window_end_unix_nano, 'UTC')) AS window_end,
    nowInBlock64(3, 'UTC') AS landed_time
FROM ${DATABASE}.alerts_landing;

-- The alerts that fire: of each rule, level and group the newest change, where that is firing.
-- Of two changes at one event time the later state in the life of an alert is the newer.
CREATE VIEW IF NOT EXISTS ${DATABASE}.alerts_firing AS
SELECT * EXCEPT (age)
FROM
(
    SELECT
        *,
        row_number() OVER (
            PARTITION BY rule, level, toJSONString(mapSort(`group`))
            ORDER BY
                time DESC,
                landed_time DESC,
                indexOf(['inactive', 'pending', 'firing', 'resolved'], state) DESC
        ) AS age
    FROM ${DATABASE}.alerts
)
WHERE age = 1 AND state = 'firing';

-- Where what became of telling channels of alerts arrives: the fields of schemas/alert-delivery.avsc.
CREATE TABLE IF NOT EXISTS ${DATABASE}.alert_deliveries_landing
(
    alert_id String,
    incident_id String,
    rule String,
    state String,
    channel String,
    channel_type String,
    dedup_key String,
    outcome String,
    attempts Int32,
    status Int32,
    detail String,
    time_unix_nano Int64,
    latency_ms Int64
)
ENGINE = Null;

-- What became of telling each channel of each change of an alert. Answers: was anybody told, how soon,
-- and which channel fails (A8). Sorted by channel and time because a channel that fails is looked at by
-- itself; join alerts by alert_id.
CREATE TABLE IF NOT EXISTS ${DATABASE}.alert_deliveries
(
    channel LowCardinality(String),
    time DateTime64(9, 'UTC'),
    alert_id String,
    incident_id String,
    rule LowCardinality(String),
    state LowCardinality(String),
    channel_type LowCardinality(String),
    dedup_key String,
    outcome LowCardinality(String),
    attempts Int32,
    status Int32,
    detail String,
    latency_ms Int64,
    landed_time DateTime64(3, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(time)
ORDER BY (channel, time)
SETTINGS
    ttl_only_drop_parts = 1,
    materialize_ttl_recalculate_only = 1,
    non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 268435456,
    string_serialization_version = 'single_stream',
    auto_statistics_types = '',
    min_parts_to_merge_at_once = 10;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.alert_deliveries_mv TO ${DATABASE}.alert_deliveries AS
SELECT
    * EXCEPT (time_unix_nano),
    fromUnixTimestamp64Nano(time_unix_nano, 'UTC') AS time,
    nowInBlock64(3, 'UTC') AS landed_time
FROM ${DATABASE}.alert_deliveries_landing;
