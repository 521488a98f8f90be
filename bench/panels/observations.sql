-- What an alert worker would have found in 30 days: a row for each of 16 lags every ten seconds.
INSERT INTO ${DATABASE}.observations_landing
SELECT
    {first_ns:Int64} + toInt64(intDiv(number, 16)) * 10000000000 AS time_unix_nano,
    'alert' AS worker,
    'lag' AS observation,
    concat('group-', toString(number % 16)) AS `group`,
    concat('topic-', toString(number % 8)) AS topic,
    toFloat64(cityHash64(number) % 100) AS value
FROM numbers({observations:UInt64})
