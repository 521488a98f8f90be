-- Each score beside the span that it was given to, however late either came. Answers: scores by model,
-- prompt version or whatever else the span tells, of scores that were sent without it (E2, E3, E5), and
-- what bad answers have in common (T6). One row to a row of evaluations; bound it by time.
-- A score belongs to the span that it names. One of a whole trace goes to the trace's root, one that
-- names a request alone to that request's root; while the root is not there, to the earliest span. One
-- that names an answer alone, by response_id, goes to the call that it is of. has_span says whether
-- there is such a span. What a score tells of its cohort goes before what the span tells.
-- Spans that no score asks for are passed over by the skip index on trace_id, where scores are few, or
-- as they are read; so a question costs a pass over the ids of spans, not a join with all of them.
CREATE VIEW IF NOT EXISTS ${DATABASE}.evaluated_spans AS
WITH
    scores AS
    (
        SELECT
            *,
            multiIf(
                span_id != '', ('span', trace_id, span_id),
                trace_id != '', ('trace', trace_id, ''),
                response_id != '', ('response', response_id, ''),
                ('request', request_id, '')
            ) AS subject
        FROM ${DATABASE}.evaluations
    ),
    candidates AS
    (
        SELECT *, ('span', trace_id, span_id) AS subject, 0 AS distance
        FROM ${DATABASE}.spans
        WHERE trace_id IN (SELECT trace_id FROM ${DATABASE}.evaluations WHERE span_id != '')
            AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM ${DATABASE}.evaluations WHERE span_id != '')
        UNION ALL
        SELECT *, ('trace', trace_id, '') AS subject, toUInt8(parent_span_id != '') AS distance
        FROM ${DATABASE}.spans
        WHERE trace_id IN (SELECT trace_id FROM ${DATABASE}.evaluations WHERE trace_id != '' AND span_id = '')
        UNION ALL
        SELECT
            *,
            ('response', response_id, '') AS subject,
            toUInt8(price_status IN ('not_applicable', 'nested')) AS distance
        FROM ${DATABASE}.spans
        WHERE response_id IN (
            SELECT response_id FROM ${DATABASE}.evaluations WHERE trace_id = '' AND response_id != ''
        )
        UNION ALL
        SELECT *, ('request', request_id, '') AS subject, toUInt8(parent_span_id != '') AS distance
        FROM ${DATABASE}.spans
        WHERE request_id IN (
            SELECT request_id FROM ${DATABASE}.evaluations
            WHERE trace_id = '' AND response_id = '' AND request_id != ''
        )
    ),
    nearest AS
    (
        SELECT *, if(request_model = '', response_model, request_model) AS model
        FROM candidates
        ORDER BY distance, start_time, span_id
        LIMIT 1 BY subject
    )
SELECT
    scores.time AS time,
    scores.evaluation_id AS evaluation_id,
    scores.evaluator AS evaluator,
    scores.evaluator_version AS evaluator_version,
    scores.dimension AS dimension,
    scores.score AS score,
    scores.label AS label,
    scores.explanation AS explanation,
    scores.use_case AS use_case,
    scores.origin AS origin,
    nearest.span_id != '' AS has_span,
    if(scores.trace_id = '', nearest.trace_id, scores.trace_id) AS trace_id,
    if(scores.span_id = '', nearest.span_id, scores.span_id) AS span_id,
    if(scores.tenant = '', nearest.tenant, scores.tenant) AS tenant,
    if(scores.team = '', nearest.team, scores.team) AS team,
    if(scores.feature = '', nearest.feature, scores.feature) AS feature,
    if(scores.environment = '', nearest.environment, scores.environment) AS environment,
    if(scores.cost_centre = '', nearest.cost_centre, scores.cost_centre) AS cost_centre,
    if(scores.user_tier = '', nearest.user_tier, scores.user_tier) AS user_tier,
    if(scores.user = '', nearest.user, scores.user) AS user,
    if(scores.session = '', nearest.session, scores.session) AS session,
    if(scores.request_id = '', nearest.request_id, scores.request_id) AS request_id,
    if(scores.response_id = '', nearest.response_id, scores.response_id) AS response_id,
    if(scores.service = '', nearest.service, scores.service) AS service,
    if(scores.provider = '', nearest.provider, scores.provider) AS provider,
    if(scores.model = '', nearest.model, scores.model) AS model,
    if(scores.prompt_id = '', nearest.prompt_id, scores.prompt_id) AS prompt_id,
    if(scores.prompt_version = '', nearest.prompt_version, scores.prompt_version) AS prompt_version,
    if(scores.experiment = '', nearest.experiment, scores.experiment) AS experiment,
    if(scores.variant = '', nearest.variant, scores.variant) AS variant,
    if(scores.domain = '', nearest.domain, scores.domain) AS domain,
    nearest.start_time AS span_time,
    nearest.name AS span_name,
    nearest.kind AS span_kind,
    nearest.duration_nano AS duration_nano,
    nearest.error_type AS error_type,
    nearest.input_tokens AS input_tokens,
    nearest.output_tokens AS output_tokens,
    nearest.cost_usd AS cost_usd
FROM scores
LEFT JOIN nearest ON scores.subject = nearest.subject;
