-- How long each table keeps its rows. Applied again whenever the text changes with the variables filled
-- in, so that a new number of days holds for tables that exist.
-- Where all tenants are kept alike, parts are dropped whole, day by day. Where some are kept for days of
-- their own (SPANMETER_RETENTION), rows go one by one as parts are merged, which costs more.
ALTER TABLE ${DATABASE}.spans MODIFY TTL toDateTime(start_time) + INTERVAL ${SPANS_DAYS} DAY;
ALTER TABLE ${DATABASE}.traces MODIFY TTL hour + INTERVAL ${SPANS_DAYS} DAY;
ALTER TABLE ${DATABASE}.span_content MODIFY TTL toDateTime(start_time) + INTERVAL ${CONTENT_DAYS} DAY;
ALTER TABLE ${DATABASE}.dead_letters MODIFY TTL toDateTime(time) + INTERVAL ${CONTENT_DAYS} DAY;
ALTER TABLE ${DATABASE}.requests_by_model_1m MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.requests_by_model_1h MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.errors_by_type_1m MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.errors_by_type_1h MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.cost_by_user_1h MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.histograms_by_model_1m MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.histograms_by_model_1h MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.calls_by_feature_1d MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.scores_by_evaluator_1m MODIFY TTL time + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.price_corrections MODIFY TTL toDateTime(start_time) + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.annotations MODIFY TTL toDateTime(time) + INTERVAL ${ROLLUPS_DAYS} DAY;
ALTER TABLE ${DATABASE}.evaluations MODIFY TTL toDateTime(time) + INTERVAL ${EVALUATIONS_DAYS} DAY;
ALTER TABLE ${DATABASE}.alerts MODIFY TTL toDateTime(time) + INTERVAL ${ALERTS_DAYS} DAY;

-- Of no tenant.
ALTER TABLE ${DATABASE}.alert_deliveries MODIFY TTL toDateTime(time) + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.landings_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.observations MODIFY TTL toDateTime(time) + INTERVAL ${SPANS_TTL_DAYS} DAY;

-- annotations has one partition, and drops rows one by one in any case.
ALTER TABLE ${DATABASE}.spans MODIFY SETTING ttl_only_drop_parts = ${SPANS_WHOLE};
ALTER TABLE ${DATABASE}.traces MODIFY SETTING ttl_only_drop_parts = ${SPANS_WHOLE};
ALTER TABLE ${DATABASE}.span_content MODIFY SETTING ttl_only_drop_parts = ${CONTENT_WHOLE};
ALTER TABLE ${DATABASE}.dead_letters MODIFY SETTING ttl_only_drop_parts = ${CONTENT_WHOLE};
ALTER TABLE ${DATABASE}.requests_by_model_1m MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.requests_by_model_1h MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.errors_by_type_1m MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.errors_by_type_1h MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.cost_by_user_1h MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.histograms_by_model_1m MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.histograms_by_model_1h MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.calls_by_feature_1d MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.scores_by_evaluator_1m MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.price_corrections MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
ALTER TABLE ${DATABASE}.evaluations MODIFY SETTING ttl_only_drop_parts = ${EVALUATIONS_WHOLE};
ALTER TABLE ${DATABASE}.alerts MODIFY SETTING ttl_only_drop_parts = ${ROLLUPS_WHOLE};
