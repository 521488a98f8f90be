-- Input and output tokens of the range, by feature.
SELECT
    if(calls.feature = '', '(none)', calls.feature) AS feature,
    sum(calls.input_tokens) AS input,
    sum(calls.output_tokens) AS output
FROM requests_between(from = $__fromTime, to = $__toTime) AS calls
WHERE @filters(calls)
GROUP BY feature
HAVING input + output > 0
ORDER BY input + output DESC
LIMIT 20
