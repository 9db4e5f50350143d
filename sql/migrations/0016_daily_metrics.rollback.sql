DROP TABLE platform.data_daily_metrics;
