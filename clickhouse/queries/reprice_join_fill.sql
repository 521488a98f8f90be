-- Latest corrections of spans that started on a day and do not show them yet: a page of them.
INSERT INTO ${DATABASE}.price_corrections_join
WITH latest AS
(
    SELECT
        ${SPAN_KEY} AS key,
        corrected_time,
        cost_usd,
        price_status,
        price_version,
        price_model,
        price_flags,
        cost_parts_json
    FROM ${DATABASE}.price_corrections
    WHERE toDate(start_time) = {day:Date} AND cityHash64(trace_id) % {pages:UInt64} = {page:UInt64}
    ORDER BY corrected_time DESC
    LIMIT 1 BY key
)
SELECT
    latest.key,
    latest.corrected_time,
    latest.cost_usd,
    latest.price_status,
    latest.price_version,
    latest.price_model,
    latest.price_flags,
    latest.cost_parts_json
FROM
(
    SELECT
        ${SPAN_KEY} AS key,
        landed_time,
        cost_usd,
        price_status,
        price_version,
        price_model,
        price_flags,
        cost_parts_json
    FROM ${DATABASE}.spans
    WHERE toDate(start_time) = {day:Date} AND cityHash64(trace_id) % {pages:UInt64} = {page:UInt64}
) AS rows
INNER JOIN latest ON rows.key = latest.key
WHERE rows.landed_time < latest.corrected_time
    AND (
        ifNull(rows.cost_usd, -1) != ifNull(latest.cost_usd, -1)
        OR rows.price_status != latest.price_status
        OR rows.price_version != latest.price_version
        OR rows.price_model != latest.price_model
        OR rows.price_flags != latest.price_flags
        OR rows.cost_parts_json != latest.cost_parts_json
    );
