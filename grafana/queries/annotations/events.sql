-- What people and pipelines have told with `spanmeter annotate`. What names no tenant or environment is of all.
SELECT
    events.time AS time,
    ifNull(events.end_time, events.time) AS timeEnd,
    events.title AS title,
    arrayStringConcat(arrayFilter(part -> part != '', [events.text, events.author]), ' — ') AS text,
    arrayStringConcat(arrayConcat([events.kind::String], arrayMap((name, value) -> concat(name, ':', value), mapKeys(events.tags), mapValues(events.tags))), ',') AS tags
FROM annotations AS events
WHERE events.time <= $__toTime AND ifNull(events.end_time, events.time) >= $__fromTime
    AND $__conditionalAll(events.tenant IN ('', ${tenant:singlequote}), $tenant)
    AND $__conditionalAll(events.environment IN ('', ${environment:singlequote}), $environment)
ORDER BY time DESC
LIMIT 200
