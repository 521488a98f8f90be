-- Why there are dead letters in the range of time, and what is most often the reason where there are none.
SELECT reason
FROM
(
    SELECT toString(reason) AS reason FROM dead_letters WHERE $__timeFilter(time)
    UNION DISTINCT
    SELECT arrayJoin(['invalid_request', 'invalid_span', 'invalid_batch']) AS reason
)
ORDER BY reason
