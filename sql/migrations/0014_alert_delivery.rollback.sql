DROP TABLE platform.alert_deliveries;

DROP TABLE platform.alert_rules;
