-- Puts what was rebuilt in the place of what was there, at once.
ALTER TABLE ${DATABASE}.${TABLE} REPLACE PARTITION ID '${PARTITION}' FROM ${SHADOW}.${SOURCE};
