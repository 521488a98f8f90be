-- Models of whose calls some have no price: their cost is in no sum.
SELECT
    if(calls.model = '', '(none)', calls.model) AS model,
    calls.provider AS provider,
    calls.kind AS kind,
    sum(calls.unpriced) AS `calls without price`,
    `calls without price` / nullIf(sum(calls.requests), 0) AS `of its calls`,
    sum(calls.input_tokens) AS `input tokens`,
    sum(calls.output_tokens) AS `output tokens`
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY model, provider, kind
HAVING `calls without price` > 0
ORDER BY model = '(none)', `calls without price` DESC
LIMIT 50
