DROP VIEW platform.quality_trend_anomalies;

DROP VIEW platform.quality_trend_pass_rate;

DROP VIEW platform.quality_trend_null_shares;

DROP VIEW platform.quality_trend_row_counts;

DROP INDEX platform.data_anomaly_alerts_day;

ALTER TABLE platform.data_anomaly_alerts DROP COLUMN day;

DROP INDEX platform.data_validation_results_day;

ALTER TABLE platform.data_validation_results DROP COLUMN day;

DROP TABLE platform.data_coverage;

DROP TABLE platform.data_partition_statistics;
