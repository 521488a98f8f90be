-- Calls of the range by kind and model, and how many of them have no price.
SELECT
    calls.kind AS kind,
    if(calls.model = '', '(none)', calls.model) AS model,
    calls.provider AS provider,
    sum(calls.priced + calls.unpriced) AS `all calls`,
    sum(calls.unpriced) AS `without a price`,
    `without a price` / `all calls` AS share,
    if(`without a price` = 0, NULL, maxIf(calls.time, calls.unpriced > 0)) AS last
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls: tenant, environment, model, feature, service)
GROUP BY kind, model, provider
HAVING `all calls` > 0
ORDER BY `without a price` DESC, `all calls` DESC
LIMIT 50
