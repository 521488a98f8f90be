-- Gives the spans of a day the prices of price_corrections_join. The answer comes at once, the work
-- is done behind it: see reprice_update_state.
ALTER TABLE ${DATABASE}.spans
UPDATE
    cost_usd = joinGet('${DATABASE}.price_corrections_join', 'cost_usd', ${SPAN_KEY}),
    price_status = joinGet('${DATABASE}.price_corrections_join', 'price_status', ${SPAN_KEY}),
    price_version = joinGet('${DATABASE}.price_corrections_join', 'price_version', ${SPAN_KEY}),
    price_model = joinGet('${DATABASE}.price_corrections_join', 'price_model', ${SPAN_KEY}),
    price_flags = joinGet('${DATABASE}.price_corrections_join', 'price_flags', ${SPAN_KEY}),
    cost_parts_json = joinGet('${DATABASE}.price_corrections_join', 'cost_parts_json', ${SPAN_KEY})
IN PARTITION {day:String}
WHERE landed_time < joinGet('${DATABASE}.price_corrections_join', 'corrected_time', ${SPAN_KEY})
SETTINGS mutations_sync = 0;
