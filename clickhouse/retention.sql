-- How long each table keeps its rows. Applied again whenever the text changes with the variables filled
-- in, so that a new number of days holds for tables that exist. Parts are dropped whole, day by day.
ALTER TABLE ${DATABASE}.spans MODIFY TTL toDateTime(start_time) + INTERVAL ${SPANS_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.traces MODIFY TTL hour + INTERVAL ${SPANS_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.span_content MODIFY TTL toDateTime(start_time) + INTERVAL ${CONTENT_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.dead_letters MODIFY TTL toDateTime(time) + INTERVAL ${CONTENT_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.requests_by_model_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.requests_by_model_1h MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.errors_by_type_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.cost_by_user_1h MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.price_corrections MODIFY TTL toDateTime(start_time) + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.evaluations MODIFY TTL toDateTime(time) + INTERVAL ${SPANS_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.scores_by_evaluator_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.alerts MODIFY TTL toDateTime(time) + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.alert_deliveries MODIFY TTL toDateTime(time) + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.observations MODIFY TTL toDateTime(time) + INTERVAL ${SPANS_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.histograms_by_model_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.histograms_by_model_1h MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.landings_1m MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.errors_by_type_1h MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.annotations MODIFY TTL toDateTime(time) + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
ALTER TABLE ${DATABASE}.calls_by_feature_1d MODIFY TTL time + INTERVAL ${ROLLUP_TTL_DAYS} DAY;
