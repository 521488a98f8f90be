-- Views that take traces apart (T6): which were slow, what each step cost in time, and what decided how
-- long they took. Their times are DateTime64: `slow_traces(from = …, to = …)` takes DateTime, too.

-- One row per trace that started in [from, to), the totals of its spans, whatever hours and tenants they
-- are of. Answers: how long did traces take, and which of them were slow (M1). It reads traces, a row per
-- trace and hour, from an hour before to an hour after the range; what a longer trace has beyond that is
-- left out. The tenant of a trace is one that its spans name: a gateway's span may name none.
-- traits are pairs of a dimension and a value for what is of a trace as a whole (see slow_trace_traits).
-- is_slow: it took longer than the P95 of its kind, p95_nano: of the traces of one tenant with the same
-- endpoint at their root, or the same name where the root has no endpoint. P95 is exact, interpolated
-- between the two values next to the rank 0.95 (n - 1). Below 20 traces of a kind there is no such thing
-- as the slowest twentieth, and none of them is slow. Who does not ask for these does not pay for them;
-- they are here as each view within a view makes ClickHouse plan both twice.
CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_totals AS
SELECT
    *,
    if(root_endpoint = '', root_name, root_endpoint) AS endpoint,
    count() OVER (PARTITION BY tenant, endpoint) AS traces_alike,
    quantileExactInclusive(0.95)(duration_nano) OVER (PARTITION BY tenant, endpoint) AS p95_nano,
    traces_alike >= 20 AND duration_nano > p95_nano AS is_slow
FROM
(
    SELECT
        trace_id,
        max(parts.tenant)::String AS tenant,
        min(parts.start_time)::DateTime64(9, 'UTC') AS start_time,
        max(parts.end_time)::DateTime64(9, 'UTC') AS end_time,
        toUnixTimestamp64Nano(max(parts.end_time)) - toUnixTimestamp64Nano(min(parts.start_time)) AS duration_nano,
        sum(parts.spans) AS spans,
        sum(parts.errors) AS errors,
        sum(parts.llm_calls) AS llm_calls,
        sum(parts.unpriced) AS unpriced,
        sum(parts.input_tokens) AS input_tokens,
        sum(parts.output_tokens) AS output_tokens,
        sum(parts.cost_usd) AS cost_usd,
        max(parts.root_name)::String AS root_name,
        max(parts.root_service)::String AS root_service,
        max(parts.root_endpoint)::String AS root_endpoint,
        max(parts.user)::String AS user,
        max(parts.session)::String AS session,
        argMinMerge(parts.first_error) AS first_error_type,
        arrayFilter(
            trait -> trait.2 != '',
            [
                ('endpoint', root_endpoint),
                ('llm_calls', transform(
                    roundDown(llm_calls, [0, 1, 2, 3, 6, 11, 21]),
                    [3, 6, 11, 21],
                    ['3 to 5', '6 to 10', '11 to 20', '21 and more'],
                    toString(llm_calls)
                )),
                ('input_tokens', transform(
                    roundDown(input_tokens, [0, 1, 1000, 4000, 16000, 64000]),
                    [0, 1, 1000, 4000, 16000, 64000],
                    ['none', 'below 1k', '1k to 4k', '4k to 16k', '16k to 64k', '64k and more'],
                    ''
                )),
                ('output_tokens', transform(
                    roundDown(output_tokens, [0, 1, 250, 1000, 4000]),
                    [0, 1, 250, 1000, 4000],
                    ['none', 'below 250', '250 to 1k', '1k to 4k', '4k and more'],
                    ''
                ))
            ]
        ) AS traits
    FROM ${DATABASE}.traces AS parts
    WHERE parts.hour >= toStartOfHour({from:DateTime64(3, 'UTC')}) - INTERVAL 1 HOUR
        AND parts.hour < {to:DateTime64(3, 'UTC')} + INTERVAL 1 HOUR
    GROUP BY trace_id
    HAVING start_time >= {from:DateTime64(3, 'UTC')} AND start_time < {to:DateTime64(3, 'UTC')}
);

-- The time of each span of some traces: trace_ids has their ids with ',' between them, and all their spans
-- start from `from` to `to`. Answers: where did the time go. Three readings of a span:
--   its duration: from its start to its end;
--   self_nano: its duration without what its children ran for, children that ran at once counted once;
--   path_nano: its part of the critical path, 0 for a span that is not on it. The parts of a trace and
--     the time when nothing on the path ran add up to the trace's duration.
-- The critical path is that of CRISP (Zhang et al., USENIX ATC 2022), walked back from the trace's end:
-- the time of a span belongs to its child that ended last, from the child's end back to its start; then
-- to the child that ended last before that start; what is between belongs to the span itself. A span's
-- time is cut to that of its parent, which did not wait for more. Unlike there, the walk begins at the
-- span that ended last of all, even if it outlived its parents: from its start it goes on in the parent.
-- So spans with more than one root, with parents that never came and with work after the answer are
-- taken as they are. Spans whose parents go round in a circle have no place, and are left out, as are
-- those more than 500 levels deep.
-- `tree` knows the way to each span from a root. `windows` cuts its time to that of its parents: those on
-- the way to the last span, the spine, reach to the end. `families` puts a span together with its
-- children; there each step of the walk is taken, whether or not the walk comes to that family: a span
-- is on the path if it and all above it were picked by their parents.
CREATE VIEW IF NOT EXISTS ${DATABASE}.span_times AS
WITH RECURSIVE
    runs AS
    (
        SELECT
            trace_id,
            span_id,
            any(parent_span_id) AS parent,
            any((
                tenant::String,
                name::String,
                service::String,
                kind::String,
                if(request_model = '', response_model, request_model)::String,
                environment::String,
                feature::String,
                error_type::String,
                cost_usd
            )) AS told,
            min(toUnixTimestamp64Nano(start_time)) AS start_nano,
            max(toUnixTimestamp64Nano(start_time) + duration_nano) AS end_nano
        FROM ${DATABASE}.spans
        PREWHERE start_time >= {from:DateTime64(9, 'UTC')}
            AND start_time <= {to:DateTime64(9, 'UTC')}
            AND trace_id IN splitByChar(',', {trace_ids:String})
        GROUP BY trace_id, span_id
    ),
    tree AS
    (
        SELECT
            trace_id,
            span_id,
            told,
            start_nano,
            end_nano,
            [span_id] AS path,
            [end_nano] AS ends,
            start_nano AS window_start
        FROM runs
        WHERE (trace_id, parent) NOT IN (SELECT trace_id, span_id FROM runs)
        UNION ALL
        SELECT
            runs.trace_id,
            runs.span_id,
            runs.told,
            runs.start_nano,
            runs.end_nano,
            arrayPushBack(tree.path, runs.span_id),
            arrayPushBack(tree.ends, runs.end_nano),
            greatest(tree.window_start, runs.start_nano)
        FROM runs
        INNER JOIN tree ON runs.trace_id = tree.trace_id AND runs.parent = tree.span_id
        WHERE length(tree.path) < 500
    ),
    ended_last AS
    (
        SELECT
            *,
            argMax((path, end_nano), (end_nano, -start_nano, span_id)) OVER (PARTITION BY trace_id) AS last
        FROM tree
    ),
    windows AS
    (
        SELECT
            trace_id,
            span_id,
            told,
            path,
            start_nano,
            end_nano,
            window_start,
            arrayCount((own, other) -> own = other, path, arrayResize(last.1, length(path))) AS shared,
            shared = length(path) AS is_spine,
            if(is_spine, last.2, least(last.2, arrayMin(arraySlice(ends, shared + 1)))) AS window_end
        FROM ended_last
    ),
    families AS
    (
        SELECT
            trace_id,
            member,
            anyIf((path, told, start_nano, end_nano, window_start, window_end), span_id = member) AS own,
            groupArrayIf(
                (is_spine, window_start, window_end, start_nano, end_nano, span_id)
                    ::Tuple(is_spine UInt8, opens Int64, shuts Int64, starts Int64, ends Int64, id String),
                span_id != member
            ) AS children
        FROM windows
        ARRAY JOIN [span_id, if(length(path) > 1, path[-2], '')] AS member
        GROUP BY trace_id, member
    ),
    steps AS
    (
        SELECT
            trace_id,
            member,
            own.1 AS path,
            own.2 AS told,
            own.3 AS start_nano,
            own.4 AS end_nano,
            arrayFold(
                (walk, child) -> if(
                    child.is_spine OR (child.shuts <= walk.1 AND child.shuts >= child.opens),
                    (child.opens, arrayPushBack(walk.2, (child.opens, child.shuts, child.id))),
                    walk
                ),
                arraySort(child -> (NOT child.is_spine, -child.shuts, child.opens, child.id), children),
                (9223372036854775807::Int64, []::Array(Tuple(Int64, Int64, String)))
            ).2 AS picked,
            greatest(0, least(own.6, end_nano) - own.5)
                - arraySum(child -> greatest(0, least(child.2, end_nano) - child.1), picked) AS path_nano,
            end_nano - start_nano - arrayFold(
                (run, child) -> if(
                    least(child.ends, run.3) > greatest(child.starts, run.1),
                    (least(child.ends, run.3), run.2 + least(child.ends, run.3) - greatest(child.starts, run.1), run.3),
                    run
                ),
                arraySort(child -> child.starts, children),
                (start_nano, 0::Int64, end_nano)
            ).2 AS self_nano
        FROM families
    ),
    whole AS
    (
        SELECT
            trace_id,
            groupArrayArray(arrayMap(child -> child.3, picked)) AS walked,
            groupArrayIf((member, path, told, start_nano, end_nano, self_nano, path_nano), member != '') AS spans
        FROM steps
        GROUP BY trace_id
    )
SELECT
    span.3.1 AS tenant,
    trace_id,
    span.1 AS span_id,
    span.2 AS path,
    length(path) AS depth,
    span.3.2 AS name,
    span.3.3 AS service,
    span.3.4 AS kind,
    span.3.5 AS model,
    span.3.6 AS environment,
    span.3.7 AS feature,
    span.3.8 AS error_type,
    span.3.9 AS cost_usd,
    span.4 AS start_nano,
    span.5 - span.4 AS duration_nano,
    span.6 AS self_nano,
    hasAll(walked, path) AS is_critical,
    if(is_critical, span.7, 0) AS path_nano
FROM whole
ARRAY JOIN spans AS span;

-- The spans of a trace as Grafana's trace panel wants them (docs of Grafana, 'Data API' of traces, and
-- what the ClickHouse data source makes of its own trace queries): times in milliseconds, to the
-- microsecond, which is the finest that Float64 holds; tags as lists of maps of key and value. The first
-- tags are ours: what the span was, what it cost, its time by itself and on the critical path.
CREATE VIEW IF NOT EXISTS ${DATABASE}.trace_waterfall AS
WITH
    (
        SELECT (min(start_time), max(end_time))
        FROM ${DATABASE}.traces
        WHERE trace_id = {trace_id:String}
    ) AS scope,
    pairs -> arrayMap(key -> map('key', key, 'value', pairs[key]), mapKeys(pairs)) AS to_tags
SELECT
    spans.trace_id AS traceID,
    spans.span_id AS spanID,
    spans.parent_span_id AS parentSpanID,
    spans.service AS serviceName,
    spans.name AS operationName,
    toUnixTimestamp64Micro(spans.start_time) / 1000 AS startTime,
    spans.duration_nano / 1000000 AS duration,
    spans.span_kind AS kind,
    multiIf(spans.status = 'error' OR spans.error_type != '', 2, spans.status = 'ok', 1, 0) AS statusCode,
    spans.status_message AS statusMessage,
    arrayConcat(
        arrayFilter(
            tag -> tag['value'] != '',
            [
                map('key', 'spanmeter.kind', 'value', spans.kind::String),
                map('key', 'spanmeter.model', 'value', if(spans.request_model = '', spans.response_model, spans.request_model)::String),
                map('key', 'spanmeter.provider', 'value', spans.provider::String),
                map('key', 'spanmeter.input_tokens', 'value', ifNull(toString(spans.input_tokens), '')),
                map('key', 'spanmeter.output_tokens', 'value', ifNull(toString(spans.output_tokens), '')),
                map('key', 'spanmeter.cost_usd', 'value', ifNull(toString(spans.cost_usd), '')),
                map('key', 'spanmeter.price_status', 'value', if(spans.price_status = 'not_applicable', '', spans.price_status)::String),
                map('key', 'spanmeter.self_ms', 'value', toString(times.self_nano / 1000000)),
                map('key', 'spanmeter.critical_path_ms', 'value', if(times.is_critical, toString(times.path_nano / 1000000), '')),
                map('key', 'error.type', 'value', spans.error_type::String),
                map('key', 'tenant', 'value', spans.tenant::String),
                map('key', 'feature', 'value', spans.feature::String),
                map('key', 'user', 'value', spans.user),
                map('key', 'prompt', 'value', trimRight(concat(spans.prompt_id, ' ', spans.prompt_version))),
                map('key', 'agent', 'value', spans.agent::String),
                map('key', 'tool', 'value', spans.tool::String)
            ]
        ),
        to_tags(spans.attributes)
    ) AS tags,
    to_tags(spans.resource_attributes) AS serviceTags,
    arrayMap(
        event -> (event.name, intDiv(event.time_unix_nano, 1000) / 1000, to_tags(event.attributes))
            ::Tuple(name String, timestamp Float64, fields Array(Map(String, String))),
        spans.events
    ) AS logs,
    arrayMap(
        link -> (link.trace_id, link.span_id, to_tags(link.attributes))
            ::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
        spans.links
    ) AS references,
    spans.scope_name AS instrumentationLibraryName,
    spans.scope_version AS instrumentationLibraryVersion,
    spans.trace_state AS traceState
FROM ${DATABASE}.spans AS spans
LEFT JOIN ${DATABASE}.span_times(trace_ids = {trace_id:String}, from = scope.1, to = scope.2) AS times
    ON spans.span_id = times.span_id
PREWHERE spans.start_time >= scope.1 AND spans.start_time <= scope.2 AND spans.trace_id = {trace_id:String}
ORDER BY spans.start_time, length(times.path), spans.span_id;

-- What decided how long a trace took: the spans on its critical path (see span_times) in order of their
-- start, and last the time when none of them ran, if there was such a time, as a row of the kind
-- 'waiting' without a span. path_ms add up to the duration of the trace, share to 1.
CREATE VIEW IF NOT EXISTS ${DATABASE}.critical_path AS
WITH
    (
        SELECT (min(start_time), max(end_time))
        FROM ${DATABASE}.traces
        WHERE trace_id = {trace_id:String}
    ) AS scope,
    toUnixTimestamp64Nano(scope.1) AS first_nano,
    toUnixTimestamp64Nano(scope.2) - first_nano AS whole_nano
SELECT
    step.span_id AS span_id,
    step.depth AS depth,
    step.name AS name,
    step.service AS service,
    step.kind AS kind,
    step.model AS model,
    step.error_type AS error_type,
    step.cost_usd AS cost_usd,
    step.offset_ms AS offset_ms,
    step.duration_ms AS duration_ms,
    step.self_ms AS self_ms,
    step.path_nano / 1000000 AS path_ms,
    step.path_nano / whole_nano AS share
FROM
(
    SELECT
        groupArray((
            span_id, depth, name, service, kind, model, error_type, cost_usd,
            (start_nano - first_nano) / 1000000, duration_nano / 1000000, self_nano / 1000000, path_nano
        )) AS walked,
        whole_nano - sum(path_nano) AS waiting_nano,
        arrayConcat(
            arraySort(step -> (step.9, step.2, step.1), walked),
            if(
                waiting_nano > 0 AND notEmpty(walked),
                [('', 0, '', '', 'waiting', '', '', NULL, NULL, NULL, NULL, waiting_nano)],
                []
            )
        )::Array(Tuple(
            span_id String, depth UInt64, name String, service String, kind String, model String, error_type String,
            cost_usd Nullable(Decimal(18, 12)), offset_ms Nullable(Float64), duration_ms Nullable(Float64),
            self_ms Nullable(Float64), path_nano Int64
        )) AS steps
    FROM ${DATABASE}.span_times(trace_ids = {trace_id:String}, from = scope.1, to = scope.2)
    WHERE is_critical
)
ARRAY JOIN steps AS step;

-- The slow traces that started in [from, to), slowest first, at most `most` of them: those above the P95 of
-- their kind (see trace_totals), what they cost, and where their time went. tenants narrows them down to
-- those of some; [] means all. The columns from llm_ms to waiting_ms are the time on the critical path (see
-- span_times) by kind of span, and add up to duration_ms. self_ms_by_kind is what the steps ran for whether
-- or not anything waited for them: steps that ran at once add up to more than the duration.
-- Spans are read up to the end of the last hour that trace_totals reads.
CREATE VIEW IF NOT EXISTS ${DATABASE}.slow_traces AS
WITH
    slow AS
    (
        SELECT *
        FROM ${DATABASE}.trace_totals(from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')})
        WHERE is_slow AND (empty({tenants:Array(String)}) OR tenant IN {tenants:Array(String)})
        ORDER BY duration_nano DESC, trace_id
        LIMIT {most:UInt32}
    ),
    parts AS
    (
        SELECT
            trace_id,
            sumMap(map(kind, path_nano)) AS path_by_kind,
            sumMap(map(kind, self_nano)) AS self_by_kind,
            arraySort(groupUniqArrayIf(environment, environment != '')) AS environments,
            arraySort(groupUniqArrayIf(feature, feature != '')) AS features,
            arraySort(groupUniqArrayIf(model, model != '')) AS models
        FROM ${DATABASE}.span_times(
            trace_ids = (SELECT arrayStringConcat(groupArray(trace_id), ',') FROM slow),
            from = {from:DateTime64(3, 'UTC')},
            to = toStartOfHour({to:DateTime64(3, 'UTC')} + INTERVAL 3599999 MILLISECOND) + INTERVAL 3599999 MILLISECOND
        )
        GROUP BY trace_id
    )
SELECT
    slow.tenant AS tenant,
    slow.trace_id AS trace_id,
    slow.start_time AS start_time,
    slow.end_time AS end_time,
    slow.endpoint AS endpoint,
    slow.root_name AS root_name,
    slow.root_service AS root_service,
    slow.user AS user,
    slow.session AS session,
    parts.environments AS environments,
    parts.features AS features,
    parts.models AS models,
    slow.duration_nano / 1000000 AS duration_ms,
    slow.p95_nano / 1000000 AS p95_ms,
    slow.traces_alike AS traces_alike,
    path_by_kind['llm'] / 1000000 AS llm_ms,
    path_by_kind['embedding'] / 1000000 AS embedding_ms,
    path_by_kind['retrieval'] / 1000000 AS retrieval_ms,
    path_by_kind['rerank'] / 1000000 AS rerank_ms,
    path_by_kind['tool'] / 1000000 AS tool_ms,
    (path_by_kind['agent'] + path_by_kind['workflow']) / 1000000 AS agent_ms,
    (arraySum(mapValues(path_by_kind)) - arraySum(
        kind -> path_by_kind[kind],
        ['llm', 'embedding', 'retrieval', 'rerank', 'tool', 'agent', 'workflow']
    )) / 1000000 AS other_ms,
    (slow.duration_nano - arraySum(mapValues(path_by_kind))) / 1000000 AS waiting_ms,
    mapApply((kind, nano) -> (kind, nano / 1000000), self_by_kind) AS self_ms_by_kind,
    slow.spans AS spans,
    slow.errors AS errors,
    slow.first_error_type AS first_error_type,
    slow.llm_calls AS llm_calls,
    slow.input_tokens AS input_tokens,
    slow.output_tokens AS output_tokens,
    slow.unpriced AS unpriced,
    slow.cost_usd AS cost_usd
FROM slow
LEFT JOIN parts ON slow.trace_id = parts.trace_id
ORDER BY duration_ms DESC, trace_id;
