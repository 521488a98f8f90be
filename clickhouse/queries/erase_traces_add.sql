-- Takes note of traces that records of Kafka name the person in.
INSERT INTO ${DATABASE}.erasure_traces (user_hash, tenant, trace_id)
SELECT {hash:String}, trace.1, trace.2
FROM (SELECT arrayJoin(arrayZip({tenants:Array(String)}, {trace_ids:Array(String)})) AS trace);
