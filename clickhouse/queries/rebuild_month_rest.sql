-- Its other days, as they are.
INSERT INTO ${SHADOW}.${TABLE}_whole
SELECT * FROM ${DATABASE}.${TABLE}
WHERE toStartOfMonth(time) = {month:Date} AND toString(toDate(time)) NOT IN {days:Array(String)};
