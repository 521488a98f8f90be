-- Views that tell what traces have in common (T6). tenants and environments narrow all of them down to
-- spans of those; [] means all.

-- What spans from `from` to an hour after `to` say of their traces, a row to each trace: pairs of a dimension and a
-- value. A trace has all the models, tools and errors of its spans. What is of a trace as a whole, such as
-- its endpoint, is in the traits of trace_totals.
CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_traits AS
SELECT
    trace_id,
    groupUniqArrayArray(arrayFilter(
        trait -> trait.2 != '',
        [
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
    )) AS traits
FROM ${DATABASE}.spans
PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
    AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
    AND (empty({tenants:Array(String)}) OR tenant IN ({tenants:Array(String)}))
    AND (empty({environments:Array(String)}) OR environment IN ({environments:Array(String)}))
GROUP BY trace_id;

-- What the slow traces that started in [from, to) have in common against the rest (see trace_totals
-- for what is slow). Of each trait: the slow traces with it and the others with it, its share of either,
-- and lift: how many times as frequent it is among the slow ones as among all (Brin et al., SIGMOD 1997,
-- 'interest'). z_score is that of two proportions, pooled: beyond 3 chance hardly explains it, and what
-- stands out most comes first. Traits of fewer than min_support slow traces are left out.
CREATE VIEW IF NOT EXISTS ${DATABASE}.slow_trace_traits AS
SELECT
    trait.1 AS dimension,
    trait.2 AS value,
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
        trait,
        countIf(is_in) AS traces_in,
        countIf(NOT is_in) AS traces_out,
        maxIf(traces_in, trait.1 = '') OVER () AS all_in,
        maxIf(traces_out, trait.1 = '') OVER () AS all_out,
        (traces_in + traces_out) / (all_in + all_out) AS share_all,
        if(all_out = 0, 0, sqrt(share_all * (1 - share_all) * (1 / all_in + 1 / all_out))) AS spread
    FROM
    (
        SELECT
            whole.is_slow AS is_in,
            arrayJoin(arrayConcat([('', '')], whole.traits, told.traits)) AS trait
        FROM ${DATABASE}.trace_traits(
            from = {from:DateTime64(3, 'UTC')},
            to = {to:DateTime64(3, 'UTC')},
            tenants = {tenants:Array(String)},
            environments = {environments:Array(String)}
        ) AS told
        INNER JOIN ${DATABASE}.trace_totals(
            from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}
        ) AS whole ON told.trace_id = whole.trace_id
    )
    GROUP BY trait
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
            multiIf(
                trace_id != '', '',
                response_id != '', concat('response ', response_id),
                request_id != '', concat('request ', request_id),
                ''
            ) AS named,
            evaluator,
            score,
            label,
            explanation,
            score < {below:Float64} OR evaluator = 'low_quality_output' AS is_low
        FROM ${DATABASE}.evaluations
        PREWHERE time >= {from:DateTime64(3, 'UTC')}
            AND (empty({evaluators:Array(String)}) OR evaluator IN ({evaluators:Array(String)}))
        WHERE (isNotNull(score) OR is_low) AND (trace_id != '' OR named != '')
    ),
    names AS
    (
        SELECT
            arrayJoin([concat('response ', response_id), concat('request ', request_id)]) AS name,
            any(trace_id) AS trace_id
        FROM ${DATABASE}.spans
        PREWHERE start_time >= {from:DateTime64(3, 'UTC')}
            AND start_time < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
        WHERE name IN (SELECT named FROM given)
        GROUP BY name
    ),
    found AS
    (
        SELECT
            if(given.named = '', given.trace_id, names.trace_id) AS trace_id,
            given.evaluator AS evaluator,
            given.score AS score,
            given.label AS label,
            given.explanation AS explanation,
            given.is_low AS is_low
        FROM given
        LEFT JOIN names ON given.named = names.name
        WHERE trace_id != ''
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
    totals.cost_usd AS cost_usd,
    totals.traits AS traits
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
    trait.1 AS dimension,
    trait.2 AS value,
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
        trait,
        countIf(is_in) AS traces_in,
        countIf(NOT is_in) AS traces_out,
        maxIf(traces_in, trait.1 = '') OVER () AS all_in,
        maxIf(traces_out, trait.1 = '') OVER () AS all_out,
        (traces_in + traces_out) / (all_in + all_out) AS share_all,
        if(all_out = 0, 0, sqrt(share_all * (1 - share_all) * (1 / all_in + 1 / all_out))) AS spread
    FROM
    (
        SELECT
            whole.is_low AS is_in,
            arrayJoin(arrayConcat([('', '')], whole.traits, told.traits)) AS trait
        FROM ${DATABASE}.trace_traits(
            from = {from:DateTime64(3, 'UTC')},
            to = {to:DateTime64(3, 'UTC')},
            tenants = {tenants:Array(String)},
            environments = {environments:Array(String)}
        ) AS told
        INNER JOIN ${DATABASE}.trace_scores(
            from = {from:DateTime64(3, 'UTC')},
            to = {to:DateTime64(3, 'UTC')},
            below = {below:Float64},
            evaluators = {evaluators:Array(String)}
        ) AS whole ON told.trace_id = whole.trace_id
    )
    GROUP BY trait
)
WHERE dimension != '' AND traces_in >= greatest({min_support:UInt32}, 1)
ORDER BY z_score DESC, dimension, value;

-- The traces of low quality that started in [from, to), worst first, at most `most` of them, with what was
-- found (see trace_scores) and what they ran. tenants narrows them down to those of some; [] means all.
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
        WHERE is_low AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        ORDER BY lowest_score NULLS LAST, start_time, trace_id
        LIMIT {most:UInt32}
    )
SELECT
    judged.* EXCEPT (is_low, traits),
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
