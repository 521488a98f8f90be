-- Where a run of re-pricing begins: the server's clock, by which spans land, and the last run.
SELECT
    toUnixTimestamp64Milli(now64(3)) AS now_ms,
    toUnixTimestamp64Nano(max(corrected_time)) AS last_corrected_time,
    argMax(job, corrected_time) AS last_job
FROM price_corrections;
