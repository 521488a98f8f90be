-- Per model over [from, to): requests, errors, tokens, cost and latency of model calls (M1, M2, M4).
SELECT
    model,
    sum(minutes.requests) AS requests,
    sum(minutes.errors) AS errors,
    sum(minutes.priced) AS priced,
    sum(minutes.unpriced) AS unpriced,
    sum(minutes.input_tokens) AS input_tokens,
    sum(minutes.output_tokens) AS output_tokens,
    toString(sum(minutes.cost_usd)) AS cost_usd,
    quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_ms) AS latency,
    latency[1] AS p50_ms,
    latency[2] AS p95_ms,
    latency[3] AS p99_ms
FROM requests_by_model_1m AS minutes
WHERE kind IN ('llm', 'embedding') AND time >= {from:DateTime('UTC')} AND time < {to:DateTime('UTC')}
GROUP BY model
ORDER BY requests DESC, model;
