DROP TABLE platform.platform_tokens;

DROP TABLE platform.platform_grants;

DROP TABLE platform.platform_users;
