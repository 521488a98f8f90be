-- What slow traces have in common against the others of the range.
SELECT
    traits.dimension AS dimension,
    traits.value AS value,
    traits.traces_in AS `slow traces`,
    traits.share_in AS `of the slow`,
    traits.share_out AS `of the others`,
    traits.lift AS lift,
    traits.z_score AS z
FROM slow_trace_traits(from = $__fromTime, to = $__toTime, tenants = @chosen(tenant), environments = @chosen(environment), min_support = 5) AS traits
WHERE traits.z_score > 0
ORDER BY z DESC
LIMIT 50
