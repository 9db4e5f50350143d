DROP TABLE platform.data_quality_alert_acknowledgments;

DROP TABLE platform.data_anomaly_alerts;

DROP FUNCTION platform.mark_alert_acknowledged();
