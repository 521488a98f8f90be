-- Failures of the range by type and model.
SELECT
    failed.error_type AS error,
    failed.model AS model,
    sum(failed.errors) AS errors,
    uniqExact(failed.tenant) AS tenants,
    min(failed.time) AS `first seen`
FROM errors_by_type(step_s = @step) AS failed
WHERE failed.kind IN ('llm', 'embedding') AND $__timeFilter(failed.time)
    AND @filters(failed: tenant, environment, model, feature, service)
GROUP BY error, model
ORDER BY errors DESC
LIMIT 100
