-- What calls report that they cost, against what the same calls cost by the price list.
WITH found AS
(
    SELECT
        calls.provider AS provider,
        calls.model AS model,
        sum(calls.reported_cost_usd) AS reported,
        sum(calls.cost_of_reported_usd) AS `by price list`,
        reported - `by price list` AS drift,
        toFloat64(drift) / nullIf(toFloat64(`by price list`), 0) AS `of price list`
    FROM requests_by_model(step_s = @step) AS calls
    WHERE $__timeFilter(calls.time)
        AND @filters(calls)
    GROUP BY provider, model
    HAVING reported != 0 OR `by price list` != 0
    ORDER BY abs(drift) DESC
    LIMIT 50
)
SELECT * FROM found
UNION ALL
SELECT '' AS provider, '(no call reports a cost)' AS model, toDecimal128(0, 12) AS reported, toDecimal128(0, 12) AS `by price list`, toDecimal128(0, 12) AS drift, NULL AS `of price list`
WHERE (SELECT count() FROM found) = 0
