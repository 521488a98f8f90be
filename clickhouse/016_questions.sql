-- Questions as views, for panels, pages of ready queries (docs/queries.md) and people. A view with
-- parameters is asked as requests_by_model(step_s = 60). Views read with the rights of who asks, so that a
-- tenant's policy on the tables holds through them.

-- requests_by_model_1m for steps below an hour, else requests_by_model_1h, with their columns. Answers what
-- a graph over any range of time asks (M1 to M5): the other table is not read.
CREATE VIEW IF NOT EXISTS ${DATABASE}.requests_by_model AS
SELECT * FROM ${DATABASE}.requests_by_model_1m WHERE {step_s:UInt32} < 3600
UNION ALL
SELECT * FROM ${DATABASE}.requests_by_model_1h WHERE {step_s:UInt32} >= 3600;

-- The minutes from `from` up to, not including, `to`, from as few rows as there are: whole hours from the
-- hours' table, what is left at both ends from the minutes'. Answers sums and percentiles of one window.
-- Do not group by time: an hour's row has its first minute.
CREATE VIEW IF NOT EXISTS ${DATABASE}.requests_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour
SELECT * FROM ${DATABASE}.requests_by_model_1h WHERE time >= first_hour AND time < last_hour
UNION ALL
SELECT * FROM ${DATABASE}.requests_by_model_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour);

-- The same two for histograms_by_model_1m and its hours.
CREATE VIEW IF NOT EXISTS ${DATABASE}.histograms_by_model AS
SELECT * FROM ${DATABASE}.histograms_by_model_1m WHERE {step_s:UInt32} < 3600
UNION ALL
SELECT * FROM ${DATABASE}.histograms_by_model_1h WHERE {step_s:UInt32} >= 3600;

CREATE VIEW IF NOT EXISTS ${DATABASE}.histograms_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour
SELECT * FROM ${DATABASE}.histograms_by_model_1h WHERE time >= first_hour AND time < last_hour
UNION ALL
SELECT * FROM ${DATABASE}.histograms_by_model_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour);

-- A row for each bucket of each measure: `calls` calls were above the bound before and not above le, in
-- seconds (duration, time_to_first_token) or tokens (input_tokens, output_tokens); the last bucket's le is
-- inf. Answers histograms and heatmaps (D3). Ask for one measure: the columns of others are not read then.
CREATE VIEW IF NOT EXISTS ${DATABASE}.histogram_buckets AS
SELECT
    tenant, time, kind, model, provider, service, operation, feature, environment,
    'duration' AS measure,
    if(bucket.1 = 4294967295, inf, bucket.1 / 1000) AS le,
    bucket.2 AS calls
FROM ${DATABASE}.histograms_by_model(step_s = {step_s:UInt32})
ARRAY JOIN CAST(duration_buckets AS Array(Tuple(UInt32, UInt64))) AS bucket
UNION ALL
SELECT
    tenant, time, kind, model, provider, service, operation, feature, environment,
    'time_to_first_token' AS measure,
    if(bucket.1 = 4294967295, inf, bucket.1 / 1000) AS le,
    bucket.2 AS calls
FROM ${DATABASE}.histograms_by_model(step_s = {step_s:UInt32})
ARRAY JOIN CAST(first_token_buckets AS Array(Tuple(UInt32, UInt64))) AS bucket
UNION ALL
SELECT
    tenant, time, kind, model, provider, service, operation, feature, environment,
    'input_tokens' AS measure,
    if(bucket.1 = 4294967295, inf, toFloat64(bucket.1)) AS le,
    bucket.2 AS calls
FROM ${DATABASE}.histograms_by_model(step_s = {step_s:UInt32})
ARRAY JOIN CAST(input_token_buckets AS Array(Tuple(UInt32, UInt64))) AS bucket
UNION ALL
SELECT
    tenant, time, kind, model, provider, service, operation, feature, environment,
    'output_tokens' AS measure,
    if(bucket.1 = 4294967295, inf, toFloat64(bucket.1)) AS le,
    bucket.2 AS calls
FROM ${DATABASE}.histograms_by_model(step_s = {step_s:UInt32})
ARRAY JOIN CAST(output_token_buckets AS Array(Tuple(UInt32, UInt64))) AS bucket;

-- What calls cost that lack a tag, by hour and tag, beside all calls of the same hour. Answers: what can
-- nobody be charged for (C2). A row for each tag (tenant, team, feature, environment, cost_centre, user_tier,
-- user) of each group of calls: ask for one tag, or group by tag.
CREATE VIEW IF NOT EXISTS ${DATABASE}.untagged_cost AS
SELECT
    tenant,
    time,
    model,
    feature,
    environment,
    part.1 AS tag,
    requests,
    cost_usd,
    if(part.2 = '', requests, 0) AS untagged_requests,
    if(part.2 = '', cost_usd, toDecimal128(0, 12)) AS untagged_usd
FROM ${DATABASE}.cost_by_user_1h
ARRAY JOIN [
    ('tenant', toString(tenant)),
    ('team', toString(team)),
    ('feature', toString(feature)),
    ('environment', toString(environment)),
    ('cost_centre', toString(cost_centre)),
    ('user_tier', toString(user_tier)),
    ('user', user)
] AS part;

-- How many spans were under way at each moment that is a multiple of step_s, from `from` up to `to`, by their
-- start and end. Answers active requests (M4): is_root says of a span that it is a whole request, kind llm
-- that it is a call of a model. A moment without any has no row. A span is seen when it has landed, so the
-- latest moments lack those that still run; one that ran for more than an hour is left out.
CREATE VIEW IF NOT EXISTS ${DATABASE}.active_requests AS
WITH
    greatest({step_s:UInt32}, 1) AS step,
    toInt64(step) * 1000000000 AS step_nano,
    toUnixTimestamp64Nano(start_time) AS start_nano,
    toInt64(toUnixTimestamp({from:DateTime})) AS from_s,
    toInt64(toUnixTimestamp({to:DateTime})) AS to_s
SELECT
    toDateTime(moment * step, 'UTC') AS time,
    tenant,
    kind,
    parent_span_id = '' AS is_root,
    if(request_model = '', response_model, request_model) AS model,
    service,
    feature,
    environment,
    count() AS active
FROM ${DATABASE}.spans
ARRAY JOIN range(
    toUInt32(greatest(intDiv(start_nano + step_nano - 1, step_nano), intDiv(from_s + step - 1, step))),
    toUInt32(least(intDiv(start_nano + duration_nano + step_nano - 1, step_nano), intDiv(to_s + step - 1, step)))
) AS moment
WHERE start_time >= {from:DateTime} - INTERVAL 1 HOUR AND start_time < {to:DateTime}
    AND duration_nano <= 3600000000000
GROUP BY time, tenant, kind, is_root, model, service, feature, environment;
