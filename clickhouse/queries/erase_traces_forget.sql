-- Nothing of the person is left: what was noted about them goes too.
ALTER TABLE ${DATABASE}.erasure_traces DELETE WHERE user_hash = {hash:String} SETTINGS mutations_sync = 2;
