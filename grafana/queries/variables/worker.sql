-- The workers, of which any may have dead letters.
SELECT arrayJoin(['alert', 'enrich', 'ingest', 'sink']) AS worker
ORDER BY worker
