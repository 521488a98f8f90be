-- What traces with a score below 0.65, or said to be of low quality, have in common against others with scores.
SELECT
    traits.dimension AS dimension,
    traits.value AS value,
    traits.traces_in AS `low traces`,
    traits.share_in AS `of the low`,
    traits.share_out AS `of the others`,
    traits.lift AS lift,
    traits.z_score AS z
FROM low_quality_trace_traits(from = $__fromTime, to = $__toTime, tenants = @chosen(tenant), environments = @chosen(environment), min_support = 5, below = 0.65, evaluators = []) AS traits
WHERE traits.z_score > 0
ORDER BY z DESC
LIMIT 50
