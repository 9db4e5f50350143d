DROP TABLE platform.query_requests;
