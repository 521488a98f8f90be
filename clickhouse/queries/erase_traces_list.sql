-- The traces of a person whose data is being erased.
SELECT DISTINCT tenant, trace_id FROM erasure_traces WHERE user_hash = {hash:String};
