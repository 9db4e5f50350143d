DROP TABLE platform.data_validation_results;

DROP TABLE platform.data_sync_logs;
