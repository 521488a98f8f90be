-- Nothing belongs into this partition.
ALTER TABLE ${DATABASE}.${TABLE} DROP PARTITION ID '${PARTITION}';
