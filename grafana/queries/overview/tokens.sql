-- Input and output tokens per hour, by model.
SELECT
    @bucket(calls.time) AS time,
    calls.model AS model,
    sum(calls.input_tokens) * 3600 / @step AS input,
    sum(calls.output_tokens) * 3600 / @step AS output
FROM requests_by_model(step_s = @step) AS calls
WHERE $__timeFilter(calls.time)
    AND @filters(calls)
GROUP BY time, model
HAVING input + output > 0
ORDER BY time, model
