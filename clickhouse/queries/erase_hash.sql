-- The hash by which statements name a person: texts of mutations are kept by the server for a while.
SELECT hex(sipHash128({user:String})) AS hash SETTINGS log_queries = 0;
