-- Ends what a run that was cut off has left under way; what it wrote stays.
KILL MUTATION
WHERE database = {database:String}
    AND table = 'spans'
    AND NOT is_done
    AND position(command, 'price_corrections_join') > 0
SYNC;
