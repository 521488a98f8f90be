-- Traces with more than max_spans spans in [from, to), the largest first, at most limit of them.
SELECT trace_id
FROM spans
WHERE start_time >= {from:DateTime64(3, 'UTC')} AND start_time < {to:DateTime64(3, 'UTC')}
GROUP BY trace_id
HAVING count() > {max_spans:UInt64}
ORDER BY count() DESC
LIMIT {limit:UInt64}
SETTINGS max_bytes_before_external_group_by = 268435456;
