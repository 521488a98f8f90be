-- What each model did in the range.
SELECT
    calls.model AS model,
    sum(calls.requests) AS calls,
    sum(calls.requests) / sum(sum(calls.requests)) OVER () AS share,
    sum(calls.errors) / sum(calls.requests) AS failed,
    (quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(calls.duration_ms) AS latency)[1] AS P50,
    latency[2] AS P95,
    latency[3] AS P99,
    sum(calls.input_tokens) AS `input tokens`,
    sum(calls.output_tokens) AS `output tokens`,
    if(sum(calls.priced) = 0, NULL, sum(calls.cost_usd)) AS usd,
    sum(calls.unpriced) AS unpriced
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls)
GROUP BY model
ORDER BY calls DESC
LIMIT 50
