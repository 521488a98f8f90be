-- Hours of a day in which spans started, and how many.
SELECT toUnixTimestamp(toStartOfHour(start_time, 'UTC')) AS hour, count() AS spans
FROM ${DATABASE}.spans
WHERE toDate(start_time) = {day:Date}
GROUP BY hour
ORDER BY hour;
