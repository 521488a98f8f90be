-- Model calls without a price that started in [from, to), by what would have to have one, the most
-- tokens first. The model is the one that answered, else the one that was asked for, as pricing looks
-- them up.
SELECT
    provider,
    if(response_model = '', request_model, response_model) AS model,
    if(has(price_flags, 'tier_unpriced'), spans.service_tier, '') AS tier,
    multiIf(
        model = '', 'no model told',
        price_model = '', 'unknown model',
        has(price_flags, 'tier_unpriced'), 'no price of its tier',
        has(price_flags, 'unit_unpriced'), 'no price of one of its units',
        'no price'
    ) AS reason,
    uniqExact(tenant) AS tenants,
    count() AS calls,
    sum(ifNull(spans.input_tokens, 0)) AS input_tokens,
    sum(ifNull(spans.output_tokens, 0)) AS output_tokens,
    toUnixTimestamp64Milli(min(start_time)) AS first_ms,
    toUnixTimestamp64Milli(max(start_time)) AS last_ms
FROM spans
WHERE price_status = 'unpriced'
    AND start_time >= {from:DateTime64(3, 'UTC')}
    AND start_time < {to:DateTime64(3, 'UTC')}
GROUP BY provider, model, tier, reason
ORDER BY input_tokens + output_tokens DESC, calls DESC, provider, model, tier
LIMIT {limit:UInt64};
