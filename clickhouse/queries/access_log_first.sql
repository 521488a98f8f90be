-- Since when the server has written queries down.
SELECT toString(min(event_time)) AS first, count() AS queries FROM ${LOG};
