-- Who read what people said, newest first: queries whose text reaches a column with content, also through a
-- view. A query that was refused has read nothing; one that failed may have read a part.
SELECT
    toString(event_time_microseconds) AS time,
    user,
    toString(address) AS address,
    if(http_user_agent != '', http_user_agent, client_name) AS client,
    multiIf(type = 'QueryFinish', 'read', type = 'ExceptionBeforeStart', 'refused', 'failed') AS outcome,
    arraySort(arrayDistinct(arrayMap(
        name -> arrayStringConcat(arraySlice(splitByChar('.', name), 2), '.'),
        arrayFilter(
            name -> arrayElement(splitByChar('.', name), 1) IN ({database:String}, concat({database:String}, '_all'))
                AND match(name, {content:String}),
            columns
        )
    ))) AS read_columns,
    toString(result_rows) AS rows,
    query
FROM ${LOG}
WHERE event_date >= toDate({from:DateTime64(3, 'UTC')}) AND event_date <= toDate({to:DateTime64(3, 'UTC')})
    AND event_time_microseconds >= {from:DateTime64(3, 'UTC')}
    AND event_time_microseconds < {to:DateTime64(3, 'UTC')}
    AND type != 'QueryStart'
    AND is_initial_query
    -- An insert of rows that come from outside reads nothing.
    AND (query_kind != 'Insert' OR match(query, '(?i)\\bselect\\b'))
    AND notEmpty(read_columns)
    AND ({user:String} = '' OR user = {user:String})
ORDER BY event_time_microseconds DESC
LIMIT {limit:UInt32};
