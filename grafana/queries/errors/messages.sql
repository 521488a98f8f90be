-- What failed calls and steps say, the most frequent first, each with its newest trace. Long numbers and ids
-- in messages are left out, so that the same failure is one row. Requests and workflows are passed over: they
-- fail by what is below them.
SELECT
    failed.error_type AS error,
    replaceRegexpAll(failed.status_message, '[0-9a-fA-F-]{12,}|[0-9]{4,}', '…') AS message,
    failed.kind AS kind,
    count() AS times,
    uniq(failed.trace_id) AS traces,
    topK(1)(if(failed.model = '', failed.name, failed.model))[1] AS `most often`,
    max(failed.start_time) AS `last seen`,
    argMax(failed.trace_id, failed.start_time) AS trace
FROM (SELECT *, if(request_model = '', response_model, request_model) AS model FROM spans) AS failed
WHERE failed.error_type != '' AND failed.kind NOT IN ('http', 'workflow', 'agent')
    AND $__timeFilter(failed.start_time)
    AND @filters(failed: tenant, environment, model, feature, service)
GROUP BY error, message, kind
ORDER BY times DESC
LIMIT 30
