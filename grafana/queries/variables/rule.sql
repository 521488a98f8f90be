-- The rules whose alerts have ever changed.
SELECT DISTINCT rule
FROM alerts
ORDER BY rule
