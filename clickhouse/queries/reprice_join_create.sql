-- Prices by which rows of spans are brought up to date, in memory while an update reads them.
CREATE OR REPLACE TABLE ${DATABASE}.price_corrections_join
(
    key UInt128,
    corrected_time DateTime64(9, 'UTC'),
    cost_usd Nullable(Decimal(18, 12)),
    price_status LowCardinality(String),
    price_version LowCardinality(String),
    price_model LowCardinality(String),
    price_flags Array(LowCardinality(String)),
    cost_parts_json String
)
ENGINE = Join(ANY, LEFT, key);
