-- Rows of a table that belong to the person.
SELECT count() AS rows FROM ${DATABASE}.${TABLE} WHERE
