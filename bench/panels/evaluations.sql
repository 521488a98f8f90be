-- So many scores over 30 days, of the first call of every so-manieth trace.
INSERT INTO ${DATABASE}.evaluations_landing
    (evaluation_id, trace_id, span_id, time_unix_nano, evaluator, dimension, score, label, tenant, feature, environment,
     user_tier, model, prompt_id, prompt_version, domain, use_case, received_time_unix_nano)
WITH
    (value, salt) -> (cityHash64(value, salt) % 1000003) / 1000003 AS unit,
    (value, salt, choices) -> toInt64(cityHash64(value, salt) % choices) AS pick,
    toUInt64(number * {traces:UInt64} / {scores:UInt64}) AS trace
SELECT
    concat('evaluation-', toString(number)),
    lower(hex(cityHash64('trace', trace))) || lower(hex(cityHash64('more', trace))),
    lower(hex(cityHash64('span', toUInt64(trace * 5 + 2)))),
    {first_ns:Int64} + toInt64(trace * {trace_ns:Int64}) AS time_unix_nano,
    ['relevance', 'factuality'][1 + number % 2] AS evaluator,
    evaluator AS dimension,
    1 - 0.6 * pow(unit(number, 20), 3) AS score,
    if(score < 0.7, 'fail', 'pass'),
    concat('tenant-', toString(1 + toUInt32(50 * pow(unit(trace, 1), 3)))),
    concat('feature-', toString(pick(trace, 2, 8))),
    if(unit(trace, 3) < 0.9, 'production', 'staging'),
    ['free', 'pro', 'enterprise'][1 + pick(trace, 5, 3)],
    concat('model-', toString(pick(trace * 5 + 2, 18, 10))),
    concat('prompt-', toString(pick(trace, 2, 8))),
    toString(1 + toUInt32(30 * trace / {traces:UInt64})),
    ['law', 'shipping', 'code'][1 + pick(trace, 15, 3)],
    'standard',
    time_unix_nano
FROM numbers({scores:UInt64})
