-- Removes the rows whose text is one of those that were found.
ALTER TABLE ${DATABASE}.${TABLE} DELETE
WHERE hex(sipHash128(${TEXT})) IN {hashes:Array(String)} AND ({every:Bool} OR ${TENANT} IN ('', {tenant:String}))
SETTINGS mutations_sync = 2;
