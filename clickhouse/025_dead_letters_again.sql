-- Whose a dead letter is, as far as the key that it came with tells, and a name for it by which it is
-- looked at and sent again (docs/dead-letters.md). The name follows from where the letter came from, when
-- and with what bytes, so that it stays the same wherever it is worked out.
ALTER TABLE ${DATABASE}.dead_letters
    ADD COLUMN IF NOT EXISTS tenant LowCardinality(String),
    ADD COLUMN IF NOT EXISTS id String
        DEFAULT lower(substring(hex(sipHash128(worker, source, partition, offset, `index`, time, tenant, payload)), 1, 16));
-- After the table that it feeds: dead_letters_mv takes every column that is there.
ALTER TABLE ${DATABASE}.dead_letters_landing ADD COLUMN IF NOT EXISTS tenant String;
