-- What the rollups of a day say, by tenant.
SELECT
    tenant,
    sum(requests) AS requests,
    sum(evaluations) AS evaluations,
    toString(sum(cost_usd)) AS cost_usd
FROM
(
    SELECT tenant, sum(requests) AS requests, toUInt64(0) AS evaluations, sum(cost_usd) AS cost_usd
    FROM ${ROLLUPS}.requests_by_model_1m
    WHERE toDate(time) = {day:Date}
    GROUP BY tenant
    UNION ALL
    SELECT tenant, toUInt64(0) AS requests, sum(evaluations) AS evaluations, toDecimal128(0, 12) AS cost_usd
    FROM ${ROLLUPS}.scores_by_evaluator_1m
    WHERE toDate(time) = {day:Date}
    GROUP BY tenant
)
GROUP BY tenant
ORDER BY tenant;
