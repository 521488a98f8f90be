-- Removes rows of a table, in the parts themselves, on all replicas, before the answer.
ALTER TABLE ${DATABASE}.${TABLE} DELETE WHERE
