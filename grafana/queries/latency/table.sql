-- How long calls took, until the first token and in all, by what is chosen.
SELECT
    @split(calls: provider, endpoint, operation, feature, service, model) AS split,
    sum(calls.requests) AS calls,
    (quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(calls.duration_ms) AS latency)[1] AS P50,
    latency[2] AS P95,
    latency[3] AS P99,
    sum(calls.duration_nano) / sum(calls.requests) / 1000000 AS mean,
    if(
        sum(calls.first_tokens) = 0,
        NULL,
        (quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(calls.time_to_first_token_ms) AS first_token)[1]
    ) AS `first token P50`,
    if(sum(calls.first_tokens) = 0, NULL, first_token[2]) AS `first token P95`,
    if(sum(calls.first_tokens) = 0, NULL, first_token[3]) AS `first token P99`,
    sum(calls.output_tokens) / (nullIf(sum(calls.duration_nano), 0) / 1000000000) AS `tokens per second`
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE calls.kind IN ('llm', 'embedding')
    AND @filters(calls: tenant, environment, model, feature, provider, service)
GROUP BY split
ORDER BY calls DESC
LIMIT 100
