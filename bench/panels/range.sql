-- The end of what there is to look at.
SELECT toUnixTimestamp(max(time)) AS last, toUInt64(sum(requests)) AS spans FROM requests_by_model_1h
