-- Removes rows of the person that add nothing to any sum; those that do were landed meanwhile.
ALTER TABLE ${DATABASE}.cost_by_user_1h DELETE IN PARTITION {day:String}
WHERE hex(sipHash128(user)) = {hash:String}
    AND ({every:Bool} OR tenant = {tenant:String})
    AND requests = 0 AND errors = 0 AND unpriced = 0 AND input_tokens = 0 AND output_tokens = 0 AND cost_usd = 0
SETTINGS mutations_sync = 2;
