-- Updates by price_corrections_join that are not done: parts that wait for one, and why one failed.
SELECT sum(parts_to_do) AS parts, count() AS updates, max(latest_fail_reason) AS failure
FROM system.mutations
WHERE database = {database:String}
    AND table = 'spans'
    AND NOT is_done
    AND position(command, 'price_corrections_join') > 0;
