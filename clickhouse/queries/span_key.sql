-- Tells spans apart in spans and in price_corrections alike: what two spans share that have this in
-- common costs the same. To stand in other queries as ${SPAN_KEY}.
reinterpretAsUInt128(sipHash128(
    tenant, trace_id, span_id, start_time, provider, request_model, response_model,
    ifNull(input_tokens, -1), ifNull(output_tokens, -1), ifNull(cache_read_tokens, -1),
    ifNull(cache_write_5m_tokens, -1), ifNull(cache_write_1h_tokens, -1), ifNull(reasoning_tokens, -1),
    ifNull(input_audio_tokens, -1), ifNull(output_audio_tokens, -1)
))
