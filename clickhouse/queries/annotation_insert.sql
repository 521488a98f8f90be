-- Writes one annotation. Its id names the insert, so that a repeat has no effect.
INSERT INTO ${DATABASE}.annotations
SETTINGS async_insert = 0, insert_deduplicate = 1, insert_deduplication_token = {id:String}
VALUES (
    {tenant:String},
    {time:DateTime64(3, 'UTC')},
    parseDateTime64BestEffortOrNull({end_time:String}, 3, 'UTC'),
    {environment:String},
    {kind:String},
    {title:String},
    {text:String},
    mapFromArrays({tag_names:Array(String)}, {tag_values:Array(String)}),
    {author:String},
    {id:String},
    now64(3)
);
