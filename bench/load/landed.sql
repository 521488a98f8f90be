-- What landed of the requests of these numbers, which stand at the start of their trace ids.
SELECT
    substring(trace_id, 1, 8) AS request,
    toString(count()) AS rows,
    toString(uniqExact(trace_id, span_id)) AS spans
FROM spans
WHERE substring(trace_id, 1, 8) BETWEEN {first:String} AND {last:String}
GROUP BY request;
