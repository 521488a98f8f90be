-- Calls of the range of a named model without a price, as the rule unpriced-models counts them.
SELECT sum(calls.unpriced) AS calls
FROM requests_by_model(step_s = @step) AS calls
WHERE calls.model != '' AND $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, service)
