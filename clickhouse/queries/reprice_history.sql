-- Runs of re-pricing, the latest first: what they changed, from what to what.
SELECT
    job,
    toString(any(corrected_time)) AS time,
    count() AS corrections,
    uniqExact(tenant) AS tenants,
    toString(min(start_time)) AS first_start_time,
    toString(max(start_time)) AS last_start_time,
    toInt128(sum(toDecimal128(ifNull(old_cost_usd, 0), 12)) * 1000000000000) AS old_cost_pico_usd,
    toInt128(sum(toDecimal128(ifNull(cost_usd, 0), 12)) * 1000000000000) AS new_cost_pico_usd,
    countIf(old_price_status = 'unpriced') AS unpriced_before,
    countIf(price_status = 'unpriced') AS unpriced_after
FROM price_corrections
GROUP BY job
ORDER BY any(corrected_time) DESC
LIMIT {limit:UInt64};
