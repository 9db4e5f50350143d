DROP TABLE platform.rate_limits;
