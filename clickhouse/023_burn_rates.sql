-- How fast error budgets burn. An objective, such as 0.99, is the share of calls that must be good; what it
-- leaves may be bad. A burn rate of 1 spends the whole budget in its period; the alerts of services/alert
-- (A7) fire at 14.4 over 1 h and 5 min, 6 over 6 h and 30 min, 3 over 1 d and 2 h, 1 over 3 d and 6 h.
-- Rows are by tenant, environment, service, feature and model. Rates do not add up, what they are made of
-- does: over rows it is sum(bad) / sum(total) / (1 - objective). Windows are the whole minutes before `until`.

-- Calls of models (kind llm) from `from` up to `to`, and how many failed. A cancelled call is neither good
-- nor bad, as in the rule slo-errors: it is taken away from both. Whole days are read by the day, the hours
-- that are left at both ends by the hour, the minutes that are left of those by the minute.
CREATE VIEW IF NOT EXISTS ${DATABASE}.outcomes_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour,
    toDateTime(toStartOfDay({from:DateTime} + 86399, 'UTC'), 'UTC') AS first_day,
    toDateTime(toStartOfDay({to:DateTime}, 'UTC'), 'UTC') AS last_day
SELECT tenant, environment, service, feature, model, toInt64(requests) - toInt64(cancelled) AS total, toInt64(errors) - toInt64(cancelled) AS bad
FROM ${DATABASE}.calls_by_feature_1d
WHERE time >= first_day AND time < last_day AND kind = 'llm'
UNION ALL
SELECT tenant, environment, service, feature, model, toInt64(requests) AS total, toInt64(errors) AS bad
FROM ${DATABASE}.requests_by_model_1h
WHERE time >= first_hour AND time < last_hour AND NOT (time >= first_day AND time < last_day) AND kind = 'llm'
UNION ALL
SELECT tenant, environment, service, feature, model, toInt64(requests) AS total, toInt64(errors) AS bad
FROM ${DATABASE}.requests_by_model_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour) AND kind = 'llm'
UNION ALL
SELECT tenant, environment, service, feature, model, -toInt64(errors) AS total, -toInt64(errors) AS bad
FROM ${DATABASE}.errors_by_type_1h
WHERE time >= first_hour AND time < last_hour AND NOT (time >= first_day AND time < last_day)
    AND kind = 'llm' AND error_type = 'cancelled'
UNION ALL
SELECT tenant, environment, service, feature, model, -toInt64(errors) AS total, -toInt64(errors) AS bad
FROM ${DATABASE}.errors_by_type_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour)
    AND kind = 'llm' AND error_type = 'cancelled';

-- The same for how long they took, in the buckets of histograms_by_model_1m.
CREATE VIEW IF NOT EXISTS ${DATABASE}.durations_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour,
    toDateTime(toStartOfDay({from:DateTime} + 86399, 'UTC'), 'UTC') AS first_day,
    toDateTime(toStartOfDay({to:DateTime}, 'UTC'), 'UTC') AS last_day
SELECT tenant, environment, service, feature, model, timed, duration_buckets
FROM ${DATABASE}.calls_by_feature_1d
WHERE time >= first_day AND time < last_day AND kind = 'llm'
UNION ALL
SELECT tenant, environment, service, feature, model, requests AS timed, duration_buckets
FROM ${DATABASE}.histograms_by_model_1h
WHERE time >= first_hour AND time < last_hour AND NOT (time >= first_day AND time < last_day) AND kind = 'llm'
UNION ALL
SELECT tenant, environment, service, feature, model, requests AS timed, duration_buckets
FROM ${DATABASE}.histograms_by_model_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour) AND kind = 'llm';

-- The same for what calls of all kinds cost.
CREATE VIEW IF NOT EXISTS ${DATABASE}.costs_between AS
WITH
    toStartOfHour({from:DateTime} + 3599, 'UTC') AS first_hour,
    toStartOfHour({to:DateTime}, 'UTC') AS last_hour,
    toDateTime(toStartOfDay({from:DateTime} + 86399, 'UTC'), 'UTC') AS first_day,
    toDateTime(toStartOfDay({to:DateTime}, 'UTC'), 'UTC') AS last_day
SELECT tenant, environment, service, feature, model, cost_usd
FROM ${DATABASE}.calls_by_feature_1d
WHERE time >= first_day AND time < last_day
UNION ALL
SELECT tenant, environment, service, feature, model, cost_usd
FROM ${DATABASE}.requests_by_model_1h
WHERE time >= first_hour AND time < last_hour AND NOT (time >= first_day AND time < last_day)
UNION ALL
SELECT tenant, environment, service, feature, model, cost_usd
FROM ${DATABASE}.requests_by_model_1m
WHERE time >= {from:DateTime} AND time < {to:DateTime} AND (time < first_hour OR time >= last_hour);

CREATE VIEW IF NOT EXISTS ${DATABASE}.burn_rate AS
SELECT
    tenant, environment, service, feature, model,
    sum(outcomes.total) AS total,
    sum(outcomes.bad) AS bad,
    bad / nullIf(total, 0) AS error_rate,
    error_rate / (1 - {objective:Float64}) AS burn_rate
FROM ${DATABASE}.outcomes_between(
    from = {until:DateTime} - {window_s:UInt32}, to = {until:DateTime}
) AS outcomes
GROUP BY tenant, environment, service, feature, model;

-- allowed is how many calls of the window might have failed; remaining is the share of them that has not:
-- 1 when none has, below 0 when too many have. Over rows it is 1 - sum(bad) / sum(allowed).
CREATE VIEW IF NOT EXISTS ${DATABASE}.error_budget_remaining AS
SELECT
    tenant, environment, service, feature, model,
    sum(outcomes.total) AS total,
    sum(outcomes.bad) AS bad,
    total * (1 - {objective:Float64}) AS allowed,
    1 - bad / nullIf(allowed, 0) AS remaining
FROM ${DATABASE}.outcomes_between(
    from = {until:DateTime} - {window_s:UInt32}, to = {until:DateTime}
) AS outcomes
GROUP BY tenant, environment, service, feature, model;

-- Each budget's burn rate over time: a row for each moment from `from` to `to` that is a multiple of step_s,
-- over the window that ends there. Steps are whole minutes, from an hour on whole hours, and a window is
-- whole steps. A moment without calls in its window has no row.
-- Each group's steps become an array of running sums, so that a window costs one subtraction, however long.
CREATE VIEW IF NOT EXISTS ${DATABASE}.burn_rate_over_time AS
WITH
    greatest({step_s:UInt32}, 60) AS step,
    toUInt32(ceil({window_s:UInt32} / step)) AS steps,
    toUInt32(ceil(toUnixTimestamp({from:DateTime}) / step)) AS first_step,
    toUInt32(intDiv(toUnixTimestamp({to:DateTime}), step)) AS last_step,
    last_step - first_step + steps + 1 AS places
SELECT
    tenant, environment, service, feature, model,
    toDateTime((first_step + number) * step, 'UTC') AS time,
    total_sums[number + steps + 1] - total_sums[number + 1] AS total,
    bad_sums[number + steps + 1] - bad_sums[number + 1] AS bad,
    bad / total AS error_rate,
    error_rate / (1 - {objective:Float64}) AS burn_rate
FROM
(
    SELECT
        tenant, environment, service, feature, model,
        arrayCumSum(arrayResize(groupArrayInsertAt(0)(step_total, place), places, 0)) AS total_sums,
        arrayCumSum(arrayResize(groupArrayInsertAt(0)(step_bad, place), places, 0)) AS bad_sums
    FROM
    (
        SELECT
            tenant, environment, service, feature, model,
            toUInt32(intDiv(toUnixTimestamp(time), step) - first_step + steps + 1) AS place,
            sum(parts.total) AS step_total,
            sum(parts.bad) AS step_bad
        FROM
        (
            SELECT tenant, environment, service, feature, model, time, toInt64(requests) AS total, toInt64(errors) AS bad
            FROM ${DATABASE}.requests_by_model(step_s = {step_s:UInt32})
            WHERE kind = 'llm'
            UNION ALL
            SELECT tenant, environment, service, feature, model, time, -toInt64(errors) AS total, -toInt64(errors) AS bad
            FROM ${DATABASE}.errors_by_type(step_s = {step_s:UInt32})
            WHERE kind = 'llm' AND error_type = 'cancelled'
        ) AS parts
        WHERE time >= toDateTime((first_step - steps) * step, 'UTC') AND time < toDateTime(last_step * step, 'UTC')
        GROUP BY tenant, environment, service, feature, model, place
    )
    GROUP BY tenant, environment, service, feature, model
)
ARRAY JOIN range(toUInt32(greatest(toInt64(last_step) - toInt64(first_step) + 1, 0))) AS number
WHERE total != 0;

-- The same for latency: bad is what took longer than slow_s. Histograms know only their bounds, so slow_s is
-- raised to the next one, which slower_than_s tells: 5 s becomes 5.12 s, 10 s 10.24 s; the last is 81.92 s.
CREATE VIEW IF NOT EXISTS ${DATABASE}.latency_burn_rate AS
WITH
    arrayFirst(
        bound -> bound >= {slow_s:Float64} * 1000 OR bound = 81920,
        [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920]
    ) AS bound_ms
SELECT
    tenant, environment, service, feature, model,
    bound_ms / 1000 AS slower_than_s,
    toInt64(sum(durations.timed)) AS total,
    sum(toInt64(arraySum(mapValues(mapFilter((le, calls) -> le > bound_ms, duration_buckets))))) AS bad,
    bad / nullIf(total, 0) AS slow_rate,
    slow_rate / (1 - {objective:Float64}) AS burn_rate
FROM ${DATABASE}.durations_between(
    from = {until:DateTime} - {window_s:UInt32}, to = {until:DateTime}
) AS durations
GROUP BY tenant, environment, service, feature, model;

CREATE VIEW IF NOT EXISTS ${DATABASE}.latency_burn_rate_over_time AS
WITH
    greatest({step_s:UInt32}, 60) AS step,
    toUInt32(ceil({window_s:UInt32} / step)) AS steps,
    toUInt32(ceil(toUnixTimestamp({from:DateTime}) / step)) AS first_step,
    toUInt32(intDiv(toUnixTimestamp({to:DateTime}), step)) AS last_step,
    last_step - first_step + steps + 1 AS places,
    arrayFirst(
        bound -> bound >= {slow_s:Float64} * 1000 OR bound = 81920,
        [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920]
    ) AS bound_ms
SELECT
    tenant, environment, service, feature, model,
    toDateTime((first_step + number) * step, 'UTC') AS time,
    bound_ms / 1000 AS slower_than_s,
    total_sums[number + steps + 1] - total_sums[number + 1] AS total,
    bad_sums[number + steps + 1] - bad_sums[number + 1] AS bad,
    bad / total AS slow_rate,
    slow_rate / (1 - {objective:Float64}) AS burn_rate
FROM
(
    SELECT
        tenant, environment, service, feature, model,
        arrayCumSum(arrayResize(groupArrayInsertAt(0)(step_total, place), places, 0)) AS total_sums,
        arrayCumSum(arrayResize(groupArrayInsertAt(0)(step_bad, place), places, 0)) AS bad_sums
    FROM
    (
        SELECT
            tenant, environment, service, feature, model,
            toUInt32(intDiv(toUnixTimestamp(time), step) - first_step + steps + 1) AS place,
            sum(parts.total) AS step_total,
            sum(parts.bad) AS step_bad
        FROM
        (
            SELECT
                tenant, environment, service, feature, model,
                time,
                toInt64(requests) AS total,
                toInt64(arraySum(mapValues(mapFilter((le, calls) -> le > bound_ms, duration_buckets)))) AS bad
            FROM ${DATABASE}.histograms_by_model(step_s = {step_s:UInt32})
            WHERE kind = 'llm'
        ) AS parts
        WHERE time >= toDateTime((first_step - steps) * step, 'UTC') AND time < toDateTime(last_step * step, 'UTC')
        GROUP BY tenant, environment, service, feature, model, place
    )
    GROUP BY tenant, environment, service, feature, model
)
ARRAY JOIN range(toUInt32(greatest(toInt64(last_step) - toInt64(first_step) + 1, 0))) AS number
WHERE total != 0;

-- The same for money: budget_usd may be spent in period_s, and allowed_usd of it in this window. Everybody's
-- rows share one budget, so burn rates add up here: over rows it is sum(burn_rate), or sum(usd) / allowed_usd.
CREATE VIEW IF NOT EXISTS ${DATABASE}.cost_burn_rate AS
SELECT
    tenant, environment, service, feature, model,
    sum(costs.cost_usd) AS usd,
    {budget_usd:Float64} * {window_s:UInt32} / {period_s:UInt32} AS allowed_usd,
    toFloat64(usd) / allowed_usd AS burn_rate
FROM ${DATABASE}.costs_between(
    from = {until:DateTime} - {window_s:UInt32}, to = {until:DateTime}
) AS costs
GROUP BY tenant, environment, service, feature, model
HAVING usd != 0;

CREATE VIEW IF NOT EXISTS ${DATABASE}.cost_burn_rate_over_time AS
WITH
    greatest({step_s:UInt32}, 60) AS step,
    toUInt32(ceil({window_s:UInt32} / step)) AS steps,
    toUInt32(ceil(toUnixTimestamp({from:DateTime}) / step)) AS first_step,
    toUInt32(intDiv(toUnixTimestamp({to:DateTime}), step)) AS last_step,
    last_step - first_step + steps + 1 AS places
SELECT
    tenant, environment, service, feature, model,
    toDateTime((first_step + number) * step, 'UTC') AS time,
    usd_sums[number + steps + 1] - usd_sums[number + 1] AS usd,
    {budget_usd:Float64} * steps * step / {period_s:UInt32} AS allowed_usd,
    toFloat64(usd) / allowed_usd AS burn_rate
FROM
(
    SELECT
        tenant, environment, service, feature, model,
        arrayCumSum(
            arrayResize(groupArrayInsertAt(toDecimal128(0, 12))(step_usd, place), places, toDecimal128(0, 12))
        ) AS usd_sums
    FROM
    (
        SELECT
            tenant, environment, service, feature, model,
            toUInt32(intDiv(toUnixTimestamp(time), step) - first_step + steps + 1) AS place,
            sum(parts.usd) AS step_usd
        FROM
        (
            SELECT tenant, environment, service, feature, model, time, cost_usd AS usd
            FROM ${DATABASE}.requests_by_model(step_s = {step_s:UInt32})
        ) AS parts
        WHERE time >= toDateTime((first_step - steps) * step, 'UTC') AND time < toDateTime(last_step * step, 'UTC')
        GROUP BY tenant, environment, service, feature, model, place
    )
    GROUP BY tenant, environment, service, feature, model
)
ARRAY JOIN range(toUInt32(greatest(toInt64(last_step) - toInt64(first_step) + 1, 0))) AS number
WHERE usd != 0;
