DROP VIEW platform.quality_trend_anomalies;

DROP VIEW platform.quality_trend_pass_rate;

DROP VIEW platform.quality_trend_null_shares;

DROP VIEW platform.quality_trend_row_counts;

DROP INDEX platform.data_anomaly_alerts_open_of_partition;

DROP INDEX platform.data_anomaly_alerts_day;

ALTER TABLE platform.data_anomaly_alerts DROP COLUMN day;

DROP INDEX platform.data_validation_results_day;

ALTER TABLE platform.data_validation_results DROP COLUMN day;

-- The owner, too, removes only what a policy lets go.
ALTER TABLE platform.data_validation_results NO FORCE ROW LEVEL SECURITY;

DELETE FROM platform.data_validation_results WHERE validation_type = 'anomaly';

ALTER TABLE platform.data_validation_results FORCE ROW LEVEL SECURITY;

ALTER TABLE platform.data_validation_results DROP CONSTRAINT data_validation_results_validation_type_check;

ALTER TABLE platform.data_validation_results ADD CONSTRAINT data_validation_results_validation_type_check
    CHECK (validation_type IN ('row_count', 'null_pct', 'schema', 'date_continuity', 'contract', 'checksum'));

DROP TABLE platform.data_coverage;

DROP TABLE platform.data_partition_statistics;
