-- How many traces started in [from, to).
SELECT count() AS traces
FROM trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
WHERE ({tenant:String} = '' OR tenant = {tenant:String})
    AND ({endpoint:String} = '' OR if(root_endpoint = '', root_name, root_endpoint) = {endpoint:String});
