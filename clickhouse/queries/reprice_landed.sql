-- Corrections of a run that have landed, by the day on which their spans started.
SELECT toString(toDate(start_time)) AS day, count() AS corrections
FROM price_corrections
WHERE job = {job:String}
GROUP BY day
ORDER BY day;
