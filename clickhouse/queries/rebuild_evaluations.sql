-- Scores of a day, to where scores arrive.
INSERT INTO ${SHADOW}.evaluations_landing
(
    evaluation_id, trace_id, span_id, time_unix_nano, evaluator, evaluator_version, dimension, score, label,
    explanation, response_id, tenant, team, feature, environment, cost_centre, user_tier, user, session,
    request_id, service, provider, model, prompt_id, prompt_version, experiment, variant, domain, use_case,
    origin, received_time_unix_nano
)
SELECT
    evaluation_id, trace_id, span_id, toUnixTimestamp64Nano(time), evaluator, evaluator_version, dimension,
    score, label, explanation, response_id, tenant, team, feature, environment, cost_centre, user_tier, user,
    session, request_id, service, provider, model, prompt_id, prompt_version, experiment, variant, domain,
    use_case, origin, toUnixTimestamp64Nano(received_time)
FROM ${DATABASE}.evaluations
WHERE toDate(time) = {day:Date};
