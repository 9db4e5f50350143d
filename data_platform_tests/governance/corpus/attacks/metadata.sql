-- metadata-001 every setting, folders among them
SELECT * FROM duckdb_settings()

-- metadata-002 one setting
SELECT value FROM duckdb_settings() WHERE name = 'home_directory'

-- metadata-003 one setting by function
SELECT current_setting('home_directory')

-- metadata-004 a setting in a WHERE clause
SELECT 'SEKRIT' FROM crsp_daily WHERE current_setting('home_directory') LIKE '/%'

-- metadata-005 a session variable
SELECT getvariable('secret')

-- metadata-006 every session variable
SELECT * FROM duckdb_variables()

-- metadata-007 every view and its text
SELECT sql FROM duckdb_views() WHERE NOT internal

-- metadata-008 the same as a view
SELECT view_name, sql FROM duckdb_views

-- metadata-009 the same with schema
SELECT max(sql) FROM system.main.duckdb_views

-- metadata-010 every table
SELECT table_name FROM duckdb_tables()

-- metadata-011 the tables view
SELECT database_name, table_name FROM duckdb_tables

-- metadata-012 every column
SELECT table_name, column_name FROM duckdb_columns()

-- metadata-013 columns that look like a secret
SELECT column_name FROM duckdb_columns WHERE column_name LIKE 'sekrit%'

-- metadata-014 every database and its file
SELECT database_name, path FROM duckdb_databases()

-- metadata-015 databases by view
SELECT path FROM duckdb_databases

-- metadata-016 every schema
SELECT schema_name, sql FROM duckdb_schemas() WHERE schema_name LIKE 'sekrit%'

-- metadata-017 schemas by view
SELECT DISTINCT schema_name FROM duckdb_schemas

-- metadata-018 every macro and its text
SELECT macro_definition FROM duckdb_functions() WHERE function_name = 'hidden_macro'

-- metadata-019 types with their values
SELECT type_name, labels FROM duckdb_types() WHERE type_name = 'mood'

-- metadata-020 types by view
SELECT labels FROM duckdb_types WHERE labels IS NOT NULL

-- metadata-021 sequences
SELECT sequence_name FROM duckdb_sequences()

-- metadata-022 prepared statements and their text
SELECT statement FROM duckdb_prepared_statements()

-- metadata-023 indexes
SELECT index_name, sql FROM duckdb_indexes()

-- metadata-024 indexes by view
SELECT index_name FROM duckdb_indexes

-- metadata-025 constraints
SELECT constraint_text, table_name FROM duckdb_constraints()

-- metadata-026 constraints by view
SELECT table_name, constraint_name, constraint_text FROM duckdb_constraints

-- metadata-027 what depends on what
SELECT d.*, t.table_name FROM duckdb_dependencies() d, duckdb_tables() t

-- metadata-028 temporary folder by its setting
SELECT * FROM (SELECT name, value FROM duckdb_settings()) WHERE value LIKE '%/%'

-- metadata-029 the log of other people's statements
SELECT message FROM duckdb_logs()

-- metadata-030 the log by view
SELECT message FROM duckdb_logs

-- metadata-031 the log taken apart
SELECT * FROM duckdb_logs_parsed('QueryLog')

-- metadata-032 extensions and where they lie
SELECT extension_name, install_path, extension_version FROM duckdb_extensions()

-- metadata-033 the server's release
SELECT version()

-- metadata-034 the release by pragma
SELECT library_version FROM pragma_version()

-- metadata-035 the platform
SELECT platform FROM pragma_platform()

-- metadata-036 what the server calls itself
SELECT * FROM pragma_user_agent()

-- metadata-037 columns of a foreign table, named in a string
SELECT name FROM pragma_table_info('compustat_annual')

-- metadata-038 a foreign table shown by pragma
SELECT column_name FROM pragma_show('compustat_annual')

-- metadata-039 how a table is stored
SELECT column_name, stats FROM pragma_storage_info('sekrit_words')

-- metadata-040 size of the databases
SELECT database_name FROM pragma_database_size()

-- metadata-041 database list
SELECT name, file FROM pragma_database_list

-- metadata-042 the standard's tables
SELECT table_name FROM information_schema.tables

-- metadata-043 the standard's columns
SELECT table_name, column_name FROM information_schema.columns

-- metadata-044 the standard's schemas
SELECT schema_name FROM information_schema.schemata

-- metadata-045 the standard's views
SELECT view_definition FROM information_schema.views

-- metadata-046 constraints of the standard
SELECT table_name, constraint_name FROM information_schema.table_constraints

-- metadata-047 key columns of the standard
SELECT column_name, table_name, constraint_name FROM information_schema.key_column_usage

-- metadata-048 checks of the standard
SELECT constraint_name, check_clause FROM information_schema.check_constraints

-- metadata-049 quoted and in capitals
SELECT TABLE_NAME, TABLE_TYPE, TABLE_SCHEMA FROM "INFORMATION_SCHEMA"."TABLES"

-- metadata-050 Postgres' classes
SELECT relname FROM pg_class

-- metadata-051 with schema
SELECT relname, relkind FROM pg_catalog.pg_class

-- metadata-052 Postgres' columns
SELECT attname FROM pg_attribute

-- metadata-053 Postgres' tables
SELECT tablename FROM pg_tables

-- metadata-054 Postgres' views
SELECT definition FROM pg_views

-- metadata-055 Postgres' schemas
SELECT nspname FROM pg_namespace

-- metadata-056 Postgres' types
SELECT typname FROM pg_type

-- metadata-057 Postgres' enums
SELECT enumlabel FROM pg_enum

-- metadata-058 Postgres' sequences
SELECT sequencename FROM pg_sequences

-- metadata-059 Postgres' settings
SELECT name, setting FROM pg_settings

-- metadata-060 Postgres' databases
SELECT datname FROM pg_database

-- metadata-061 Postgres' functions
SELECT proname FROM pg_proc

-- metadata-062 Postgres' indexes
SELECT indexname, indexdef FROM pg_indexes

-- metadata-063 Postgres' prepared statements
SELECT statement FROM pg_prepared_statements

-- metadata-064 SQLite's table of tables
SELECT name FROM sqlite_master

-- metadata-065 the same by its other name
SELECT tbl_name, sql FROM sqlite_schema

-- metadata-066 lists the tables
SHOW TABLES

-- metadata-067 lists all tables with columns
SHOW ALL TABLES

-- metadata-068 lists the databases
SHOW DATABASES

-- metadata-069 lists schemas
SHOW SCHEMAS

-- metadata-070 lists tables of a foreign schema
SHOW TABLES FROM sekrit_schema

-- metadata-071 a list in a subquery
SELECT name FROM (SHOW TABLES)

-- metadata-072 all databases in a subquery, joined
SELECT d.database_name, c.permno FROM (SHOW DATABASES) d, crsp_daily c

-- metadata-073 columns of a foreign table
DESCRIBE compustat_annual

-- metadata-074 columns of a foreign table in a subquery
SELECT column_name FROM (DESCRIBE compustat_annual)

-- metadata-075 figures of a foreign table
SUMMARIZE compustat_annual

-- metadata-076 figures in a subquery
SELECT max FROM (SUMMARIZE compustat_annual)

-- metadata-077 SHOW as DESCRIBE
SHOW compustat_annual

-- metadata-078 describes a catalog's view
DESCRIBE SELECT sekrit_flag FROM compustat_annual

-- metadata-079 the plan names files
EXPLAIN SELECT * FROM compustat_annual

-- metadata-080 the plan with what was run
EXPLAIN ANALYZE SELECT tic FROM compustat_annual WHERE tic = 'SEKRIT-AAPL'

-- metadata-081 where names are searched
SELECT in_search_path('memory', 'sekrit_schema'), current_setting('search_path')

-- metadata-082 least and greatest value from the planner
SELECT stats(tic) FROM compustat_annual LIMIT 1

-- metadata-083 a number that other people draw too
SELECT 'SEKRIT' || nextval('sekrit_numbers')

-- metadata-084 and where it stands
SELECT 'SEKRIT' || currval('sekrit_numbers')

-- metadata-085 how a view is defined
SELECT pg_get_viewdef((SELECT view_oid FROM duckdb_views() WHERE view_name = 'compustat_annual'))

-- metadata-086 a macro of somebody else
SELECT hidden_macro()

-- metadata-087 a table macro of somebody else
SELECT * FROM peek()

-- metadata-088 values of a type of somebody else
SELECT enum_range(NULL::mood)

-- metadata-089 the first of them
SELECT enum_first(NULL::mood)
