-- What people and pipelines have told with `spanmeter annotate`, the newest first.
WITH found AS
(
    SELECT
        events.time AS time,
        events.end_time AS until,
        events.kind AS kind,
        events.title AS title,
        events.text AS text,
        events.tenant AS tenant,
        events.environment AS environment,
        events.author AS author
    FROM annotations AS events
    WHERE events.time <= $__toTime AND ifNull(events.end_time, events.time) >= $__fromTime
        AND $__conditionalAll(events.tenant IN ('', ${tenant:singlequote}), $tenant)
        AND $__conditionalAll(events.environment IN ('', ${environment:singlequote}), $environment)
    ORDER BY time DESC
    LIMIT 200
)
SELECT * FROM found
UNION ALL
SELECT toDateTime64($__toTime, 3, 'UTC') AS time, NULL AS until, '' AS kind, '(none)' AS title, 'npm run spanmeter -- annotate makes one' AS text, '' AS tenant, '' AS environment, '' AS author
WHERE (SELECT count() FROM found) = 0
