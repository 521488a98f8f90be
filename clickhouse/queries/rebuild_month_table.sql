-- A month of a rollup by the day, of which some days are rebuilt.
CREATE TABLE IF NOT EXISTS ${SHADOW}.${TABLE}_whole AS ${SHADOW}.${TABLE};
