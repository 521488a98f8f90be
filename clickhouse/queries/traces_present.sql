-- The hours that there are traces of; no row where there are none.
SELECT
    toUnixTimestamp(min(hour)) AS from_s,
    toUnixTimestamp(max(hour)) + 3600 AS to_s
FROM traces
WHERE ({tenant:String} = '' OR tenant = {tenant:String})
HAVING count() > 0;
