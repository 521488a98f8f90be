-- Days with rows of the person in cost_by_user_1h.
SELECT DISTINCT toString(toDate(time)) AS day
FROM ${DATABASE}.cost_by_user_1h
WHERE hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String})
ORDER BY day;
