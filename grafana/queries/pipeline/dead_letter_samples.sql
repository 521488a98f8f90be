-- The newest dead letters. What is text is shown as text, what is not in hexadecimal digits, both cut off;
-- partition, offset and index find the whole of it.
WITH found AS
(
    SELECT
        letters.time AS time,
        letters.worker AS worker,
        letters.reason AS reason,
        letters.detail AS detail,
        letters.source AS source,
        if(letters.partition < 0, NULL, letters.partition) AS partition,
        if(letters.offset < 0, NULL, letters.offset) AS offset,
        if(letters.`index` < 0, NULL, letters.`index`) AS span,
        letters.format AS format,
        length(letters.payload) AS bytes,
        if(endsWith(letters.format, 'json'), toValidUTF8(substring(letters.payload, 1, 300)), hex(substring(letters.payload, 1, 100))) AS payload
    FROM dead_letters AS letters
    WHERE $__timeFilter(letters.time)
        AND @filters(letters: worker, reason)
    ORDER BY letters.time DESC
    LIMIT 50
)
SELECT * FROM found
UNION ALL
SELECT toDateTime64($__toTime, 9, 'UTC') AS time, '' AS worker, '(none)' AS reason, 'nothing was refused in this range' AS detail, '' AS source, NULL AS partition, NULL AS offset, NULL AS span, '' AS format, 0 AS bytes, '' AS payload
WHERE (SELECT count() FROM found) = 0
