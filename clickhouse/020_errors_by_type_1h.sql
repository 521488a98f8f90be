-- errors_by_type_1m by the hour, for ranges of weeks and months (M5), as requests_by_model_1h is.
CREATE TABLE IF NOT EXISTS ${DATABASE}.errors_by_type_1h AS ${DATABASE}.errors_by_type_1m;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${DATABASE}.errors_by_type_1h_mv TO ${DATABASE}.errors_by_type_1h AS
SELECT
    tenant,
    toStartOfHour(minutes.time) AS time,
    kind,
    model,
    provider,
    service,
    operation,
    feature,
    endpoint,
    environment,
    error_type,
    sum(minutes.errors) AS errors
FROM ${DATABASE}.errors_by_type_1m AS minutes
GROUP BY tenant, time, kind, model, provider, service, operation, feature, endpoint, environment, error_type;

-- As requests_by_model and requests_between do, for errors by type.
CREATE VIEW IF NOT EXISTS ${DATABASE}.errors_by_type AS
SELECT * FROM ${DATABASE}.errors_by_type_1m WHERE {step_s:UInt32} < 3600
UNION ALL
SELECT * FROM ${DATABASE}.errors_by_type_1h WHERE {step_s:UInt32} >= 3600;

CREATE VIEW IF NOT EXISTS ${DATABASE}.errors_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour
SELECT * FROM ${DATABASE}.errors_by_type_1h WHERE time >= first_hour AND time < last_hour
UNION ALL
SELECT * FROM ${DATABASE}.errors_by_type_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour);
