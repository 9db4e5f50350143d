DROP INDEX platform.data_sync_logs_line;

ALTER TABLE platform.data_sync_logs DROP COLUMN line_id;
