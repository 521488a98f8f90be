-- Summaries of traces of which spans of other people are left: they no longer say whose they were.
ALTER TABLE ${DATABASE}.traces UPDATE user = '', session = ''
WHERE hex(sipHash128(user)) = {hash:String} AND ({every:Bool} OR tenant = {tenant:String})
SETTINGS mutations_sync = 2;
