-- Spans per second over the last ten whole minutes of the range.
SELECT sum(landed.spans) / 600 AS `spans per second`
FROM landings_1m AS landed
WHERE landed.time >= toStartOfMinute($__toTime) - INTERVAL 10 MINUTE AND landed.time < toStartOfMinute($__toTime)
