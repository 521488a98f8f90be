-- Views that tell what traces have in common (T6). tenants and environments narrow all of them down to
-- spans of those; [] means all.

-- What can be said of the traces that started in [from, to): pairs of a dimension and a value, as often
-- as spans say them. The dimension '' with the value '' stands for the trace itself. A trace has all the
-- models, tools and errors of its spans; endpoint and the bands of numbers are of the trace as a whole.
-- It reads spans of the range and an hour after it.
CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_traits AS
WITH
    pairs AS
    (
        SELECT
            trace_id,
            arrayJoin(arrayFilter(
                pair -> pair.2 != '' OR pair.1 = '',
                [
                    ('', ''),
                    ('tenant', tenant::String),
                    ('environment', environment::String),
                    ('feature', feature::String),
                    ('user_tier', user_tier::String),
                    ('service', service::String),
                    ('step', kind::String),
                    ('provider', provider::String),
                    ('model', if(request_model = '', response_model, request_model)::String),
                    ('prompt', trimBoth(concat(prompt_id, ' ', prompt_version))),
                    ('experiment', trimBoth(concat(experiment, ' ', variant))),
                    ('agent', agent::String),
                    ('tool', tool::String),
                    ('error_type', error_type::String),
                    ('streaming', multiIf(isNull(streaming), '', streaming, 'yes', 'no'))
                ]
            )) AS pair
        FROM ${DATABASE}.spans
        PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
            AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
            AND (empty({tenants:Array(String)}) OR tenant IN ({tenants:Array(String)}))
            AND (empty({environments:Array(String)}) OR environment IN ({environments:Array(String)}))
        UNION ALL
        SELECT
            trace_id,
            arrayJoin(arrayFilter(
                pair -> pair.2 != '',
                [
                    ('endpoint', root_endpoint),
                    ('llm_calls', transform(
                        roundDown(llm_calls, [0, 1, 2, 3, 6, 11, 21]),
                        [3, 6, 11, 21],
                        ['3 to 5', '6 to 10', '11 to 20', '21 and more'],
                        toString(llm_calls)
                    )),
                    ('input_tokens', transform(
                        roundDown(input_tokens, [0, 1, 1000, 4000, 16000, 64000]),
                        [0, 1, 1000, 4000, 16000, 64000],
                        ['none', 'below 1k', '1k to 4k', '4k to 16k', '16k to 64k', '64k and more'],
                        ''
                    )),
                    ('output_tokens', transform(
                        roundDown(output_tokens, [0, 1, 250, 1000, 4000]),
                        [0, 1, 250, 1000, 4000],
                        ['none', 'below 250', '250 to 1k', '1k to 4k', '4k and more'],
                        ''
                    ))
                ]
            )) AS pair
        FROM ${DATABASE}.trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
        WHERE (empty({tenants:Array(String)}) AND empty({environments:Array(String)})) OR trace_id IN (
            SELECT trace_id
            FROM ${DATABASE}.spans
            PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
                AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
                AND (empty({tenants:Array(String)}) OR tenant IN ({tenants:Array(String)}))
                AND (empty({environments:Array(String)}) OR environment IN ({environments:Array(String)}))
        )
    )
SELECT trace_id, pair.1 AS dimension, pair.2 AS value
FROM pairs
WHERE trace_id IN (
    SELECT trace_id
    FROM ${DATABASE}.trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
);

-- What the slow traces that started in [from, to) have in common against the rest (see traces_by_slowness
-- for what is slow). Of each trait: the slow traces with it and the others with it, its share of either,
-- and lift: how many times as frequent it is among the slow ones as among all (Brin et al., SIGMOD 1997,
-- 'interest'). z_score is that of two proportions, pooled: beyond 3 chance hardly explains it, and what
-- stands out most comes first. Traits of fewer than min_support slow traces are left out.
CREATE VIEW IF NOT EXISTS ${DATABASE}.slow_trace_traits AS
SELECT
    dimension,
    value,
    traces_in,
    traces_out,
    traces_in / all_in AS share_in,
    if(all_out = 0, 0, traces_out / all_out) AS share_out,
    share_in / share_all AS lift,
    if(spread = 0, 0, (share_in - share_out) / spread) AS z_score,
    all_in,
    all_out
FROM
(
    SELECT
        *,
        maxIf(traces_in, dimension = '') OVER () AS all_in,
        maxIf(traces_out, dimension = '') OVER () AS all_out,
        (traces_in + traces_out) / (all_in + all_out) AS share_all,
        if(all_out = 0, 0, sqrt(share_all * (1 - share_all) * (1 / all_in + 1 / all_out))) AS spread
    FROM
    (
        SELECT
            dimension,
            value,
            uniqExactIf(trace_id, is_in) AS traces_in,
            uniqExactIf(trace_id, NOT is_in) AS traces_out
        FROM
        (
            SELECT
                *,
                trace_id IN (
                    SELECT trace_id
                    FROM ${DATABASE}.traces_by_slowness(
                        from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}
                    )
                    WHERE is_slow
                ) AS is_in
            FROM ${DATABASE}.trace_traits(
                from = {from:DateTime64(3, 'UTC')},
                to = {to:DateTime64(3, 'UTC')},
                tenants = {tenants:Array(String)},
                environments = {environments:Array(String)}
            )
        )
        GROUP BY dimension, value
    )
)
WHERE dimension != '' AND traces_in >= greatest({min_support:UInt32}, 1)
ORDER BY z_score DESC, dimension, value;

-- The traces that started in [from, to) and were given a score, whenever that was, with what was found:
-- of the evaluators that are named ([] means all), the lowest score and what was said with it, and
-- whether the trace is of low quality: a score below `below`, or the verdict low_quality_output, which
-- comes without a score. A score is of the trace that it names, or of that of the answer or request that
-- it names; spans are asked for those of the range and an hour after it alone.
CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_scores AS
WITH
    given AS
    (
        SELECT
            trace_id,
            multiIf(trace_id != '', '', response_id != '', response_id, '') AS response,
            if(trace_id = '' AND response_id = '', request_id, '') AS request,
            evaluator,
            score,
            label,
            explanation,
            score < {below:Float64} OR evaluator = 'low_quality_output' AS is_low
        FROM ${DATABASE}.evaluations
        PREWHERE time >= {from:DateTime64(3, 'UTC')}
            AND (empty({evaluators:Array(String)}) OR evaluator IN ({evaluators:Array(String)}))
        WHERE isNotNull(score) OR is_low
    ),
    named AS
    (
        SELECT
            response_id AS response,
            request_id AS request,
            trace_id
        FROM ${DATABASE}.spans
        PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
            AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
        WHERE response_id IN (SELECT response FROM given WHERE response != '')
            OR request_id IN (SELECT request FROM given WHERE request != '')
    ),
    found AS
    (
        SELECT trace_id, evaluator, score, label, explanation, is_low
        FROM given
        WHERE trace_id != ''
        UNION ALL
        SELECT answers.trace_id, given.evaluator, given.score, given.label, given.explanation, given.is_low
        FROM given
        INNER JOIN (SELECT response, any(trace_id) AS trace_id FROM named WHERE response != '' GROUP BY response) AS answers
            ON given.response = answers.response
        UNION ALL
        SELECT requests.trace_id, given.evaluator, given.score, given.label, given.explanation, given.is_low
        FROM given
        INNER JOIN (SELECT request, any(trace_id) AS trace_id FROM named WHERE request != '' GROUP BY request) AS requests
            ON given.request = requests.request
    )
SELECT
    totals.tenant AS tenant,
    totals.trace_id AS trace_id,
    totals.start_time AS start_time,
    totals.root_endpoint AS root_endpoint,
    totals.root_name AS root_name,
    totals.root_service AS root_service,
    totals.user AS user,
    totals.session AS session,
    scores.is_low AS is_low,
    scores.scores AS scores,
    scores.low_scores AS low_scores,
    scores.lowest.1 AS lowest_score,
    scores.lowest.2 AS evaluator,
    scores.lowest.3 AS label,
    scores.lowest.4 AS explanation,
    scores.mean_score AS mean_score,
    totals.duration_nano / 1000000 AS duration_ms,
    totals.spans AS spans,
    totals.errors AS errors,
    totals.llm_calls AS llm_calls,
    totals.input_tokens AS input_tokens,
    totals.output_tokens AS output_tokens,
    totals.unpriced AS unpriced,
    totals.cost_usd AS cost_usd
FROM
(
    SELECT
        trace_id,
        count() AS scores,
        countIf(found.is_low) AS low_scores,
        low_scores > 0 AS is_low,
        argMin((score, evaluator, label, explanation), (ifNull(score, 2), evaluator, label, explanation)) AS lowest,
        avg(score) AS mean_score
    FROM found
    GROUP BY trace_id
) AS scores
INNER JOIN ${DATABASE}.trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}) AS totals
    ON scores.trace_id = totals.trace_id;

-- What the traces of low quality that started in [from, to) have in common against the others that were
-- given a score (see trace_scores). Columns as in slow_trace_traits.
CREATE VIEW IF NOT EXISTS ${DATABASE}.low_quality_trace_traits AS
SELECT
    dimension,
    value,
    traces_in,
    traces_out,
    traces_in / all_in AS share_in,
    if(all_out = 0, 0, traces_out / all_out) AS share_out,
    share_in / share_all AS lift,
    if(spread = 0, 0, (share_in - share_out) / spread) AS z_score,
    all_in,
    all_out
FROM
(
    SELECT
        *,
        maxIf(traces_in, dimension = '') OVER () AS all_in,
        maxIf(traces_out, dimension = '') OVER () AS all_out,
        (traces_in + traces_out) / (all_in + all_out) AS share_all,
        if(all_out = 0, 0, sqrt(share_all * (1 - share_all) * (1 / all_in + 1 / all_out))) AS spread
    FROM
    (
        SELECT
            traits.dimension AS dimension,
            traits.value AS value,
            uniqExactIf(traits.trace_id, judged.is_low) AS traces_in,
            uniqExactIf(traits.trace_id, NOT judged.is_low) AS traces_out
        FROM ${DATABASE}.trace_traits(
            from = {from:DateTime64(3, 'UTC')},
            to = {to:DateTime64(3, 'UTC')},
            tenants = {tenants:Array(String)},
            environments = {environments:Array(String)}
        ) AS traits
        INNER JOIN
        (
            SELECT trace_id, is_low
            FROM ${DATABASE}.trace_scores(
                from = {from:DateTime64(3, 'UTC')},
                to = {to:DateTime64(3, 'UTC')},
                below = {below:Float64},
                evaluators = {evaluators:Array(String)}
            )
        ) AS judged ON traits.trace_id = judged.trace_id
        GROUP BY dimension, value
    )
)
WHERE dimension != '' AND traces_in >= greatest({min_support:UInt32}, 1)
ORDER BY z_score DESC, dimension, value;

-- The traces of low quality that started in [from, to), worst first, with what was found (see
-- trace_scores) and what they ran.
CREATE VIEW IF NOT EXISTS ${DATABASE}.low_quality_traces AS
WITH
    judged AS
    (
        SELECT *
        FROM ${DATABASE}.trace_scores(
            from = {from:DateTime64(3, 'UTC')},
            to = {to:DateTime64(3, 'UTC')},
            below = {below:Float64},
            evaluators = {evaluators:Array(String)}
        )
        WHERE is_low
    )
SELECT
    judged.* EXCEPT (is_low),
    if(judged.root_endpoint = '', judged.root_name, judged.root_endpoint) AS endpoint,
    told.environments AS environments,
    told.features AS features,
    told.models AS models,
    told.prompts AS prompts
FROM judged
LEFT JOIN
(
    SELECT
        trace_id,
        arraySort(groupUniqArrayIf(environment, environment != '')) AS environments,
        arraySort(groupUniqArrayIf(feature, feature != '')) AS features,
        arraySort(groupUniqArray(if(request_model = '', response_model, request_model))) AS models_or_none,
        arrayFilter(model -> model != '', models_or_none) AS models,
        arraySort(groupUniqArrayIf(trimBoth(concat(prompt_id, ' ', prompt_version)), prompt_id != '')) AS prompts
    FROM ${DATABASE}.spans
    PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
        AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
        AND trace_id IN (SELECT trace_id FROM judged)
    GROUP BY trace_id
) AS told ON judged.trace_id = told.trace_id
ORDER BY lowest_score, start_time, trace_id;
