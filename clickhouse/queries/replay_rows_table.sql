-- Spans that were read again, with the prices that they have been given since.
CREATE TABLE IF NOT EXISTS ${SHADOW}.spans_priced AS ${SHADOW}.spans;
