-- The days that are rebuilt.
INSERT INTO ${SHADOW}.${TABLE}_whole
SELECT * FROM ${SHADOW}.${TABLE}
WHERE toStartOfMonth(time) = {month:Date} AND toString(toDate(time)) IN {days:Array(String)};
