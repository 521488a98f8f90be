-- Input and output tokens of the range, by feature.
SELECT
    if(calls.feature = '', '(none)', calls.feature) AS feature,
    sum(calls.input_tokens) AS input,
    sum(calls.output_tokens) AS output
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY feature
HAVING input + output > 0
ORDER BY input + output DESC
LIMIT 20
