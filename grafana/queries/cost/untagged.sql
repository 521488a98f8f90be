-- How much of calls and of what they cost lacks each tag: nobody can be charged for it by that tag.
SELECT
    tags.tag AS tag,
    sum(tags.untagged_requests) AS `calls without`,
    `calls without` / nullIf(sum(tags.requests), 0) AS `of calls`,
    sum(tags.untagged_usd) AS `usd without`,
    toFloat64(`usd without`) / nullIf(toFloat64(sum(tags.cost_usd)), 0) AS `of usd`
FROM untagged_cost AS tags
WHERE tags.time >= toStartOfHour($__fromTime) AND tags.time <= $__toTime
    AND @filters(tags)
GROUP BY tag
ORDER BY `of usd` DESC, `of calls` DESC
