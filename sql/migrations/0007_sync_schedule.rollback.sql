DROP TABLE platform.data_sync_schedule;
