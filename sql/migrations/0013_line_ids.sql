-- depends: 0012_lasting_speed
-- A line that is sent again, because nobody knows whether it arrived, is stored once: the one who sends it names it.

ALTER TABLE platform.data_sync_logs ADD COLUMN line_id uuid;

CREATE UNIQUE INDEX data_sync_logs_line ON platform.data_sync_logs (line_id);
