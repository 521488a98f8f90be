-- What the traces of low quality that started in [from, to) have in common, what stands out most first.
SELECT dimension, value, traces_in, traces_out, share_in, share_out, lift, z_score, all_in, all_out
FROM low_quality_trace_traits(
    from = {from:DateTime64(3, 'UTC')},
    to = {to:DateTime64(3, 'UTC')},
    below = {below:Float64},
    evaluators = {evaluators:Array(String)},
    tenants = {tenants:Array(String)},
    environments = [],
    min_support = {min_support:UInt32}
)
WHERE z_score >= {min_z:Float64}
ORDER BY z_score DESC, dimension, value
LIMIT {limit:UInt32};
