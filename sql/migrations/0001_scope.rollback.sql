DROP FUNCTION platform.may_see(text);

DROP FUNCTION platform.sees_everything();

DROP FUNCTION platform.app_user();

DROP SCHEMA platform;
