-- Spans of a day as they stood: with the price of their latest correction, and as landed when they were
-- received, so that a correction is as much later than its row as it was.
INSERT INTO ${SHADOW}.spans_priced
WITH latest AS
(
    SELECT
        ${SPAN_KEY} AS key, corrected_time, cost_usd, price_status, price_version, price_model, price_flags,
        cost_parts_json
    FROM ${SHADOW}.price_corrections
    WHERE toDate(start_time) = {day:Date}
    ORDER BY corrected_time DESC
    LIMIT 1 BY key
)
SELECT rows.* EXCEPT (key) REPLACE (
    toDateTime64(rows.received_time, 3, 'UTC') AS landed_time,
    if(latest.corrected_time > rows.received_time, latest.cost_usd, rows.cost_usd) AS cost_usd,
    if(latest.corrected_time > rows.received_time, latest.price_status, rows.price_status) AS price_status,
    if(latest.corrected_time > rows.received_time, latest.price_version, rows.price_version) AS price_version,
    if(latest.corrected_time > rows.received_time, latest.price_model, rows.price_model) AS price_model,
    if(latest.corrected_time > rows.received_time, latest.price_flags, rows.price_flags) AS price_flags,
    if(latest.corrected_time > rows.received_time, latest.cost_parts_json, rows.cost_parts_json) AS cost_parts_json
)
FROM
(
    SELECT *, ${SPAN_KEY} AS key FROM ${SHADOW}.spans WHERE toDate(start_time) = {day:Date}
) AS rows
LEFT JOIN latest ON rows.key = latest.key;
