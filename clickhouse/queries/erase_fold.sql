-- What a person adds to a day goes over to nobody, user '': for each sum of theirs a row that takes it from
-- them and one that gives it to nobody, both in one block. So a total is the same before, after, and where
-- this ran twice: what it took too often shows as a sum below 0, and the next run gives that back.
INSERT INTO ${DATABASE}.cost_by_user_1h
SELECT
    tenant, time, part.1 AS user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version,
    part.2 * theirs.requests AS requests,
    part.2 * theirs.errors AS errors,
    part.2 * theirs.unpriced AS unpriced,
    part.2 * theirs.input_tokens AS input_tokens,
    part.2 * theirs.output_tokens AS output_tokens,
    toDecimal128(part.2, 0) * theirs.cost_usd AS cost_usd
FROM
(
    SELECT
        tenant, time, user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version,
        sum(costs.requests) AS requests, sum(costs.errors) AS errors, sum(costs.unpriced) AS unpriced,
        sum(costs.input_tokens) AS input_tokens, sum(costs.output_tokens) AS output_tokens,
        sum(costs.cost_usd) AS cost_usd
    FROM ${DATABASE}.cost_by_user_1h AS costs
    WHERE toDate(time) = {day:Date}
        AND hex(sipHash128(user)) = {hash:String}
        AND ({every:Bool} OR tenant = {tenant:String})
    GROUP BY
        tenant, time, user, model, feature, team, environment, cost_centre, user_tier, prompt_id, prompt_version
    HAVING requests != 0 OR errors != 0 OR unpriced != 0 OR input_tokens != 0 OR output_tokens != 0 OR cost_usd != 0
) AS theirs
ARRAY JOIN [(theirs.user, toInt64(-1)), ('', toInt64(1))] AS part
SETTINGS insert_deduplicate = 0, max_insert_threads = 1, optimize_on_insert = 0,
    min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 100000000000;
