-- statement-001 makes a table
CREATE TABLE x (a INT)

-- statement-002 makes a table of foreign rows
CREATE TABLE y AS SELECT * FROM compustat_annual

-- statement-003 makes a temporary table
CREATE TEMP TABLE x (a INT)

-- statement-004 makes a view that outlives the query
CREATE VIEW v AS SELECT 1

-- statement-005 replaces the permitted view
CREATE OR REPLACE VIEW crsp_daily AS SELECT * FROM compustat_annual

-- statement-006 a temporary view before the permitted one
CREATE TEMP VIEW crsp_daily AS FROM compustat_annual

-- statement-007 makes a macro
CREATE MACRO m(a) AS a + 1

-- statement-008 makes a macro that shadows a function
CREATE FUNCTION abs(x) AS 'SEKRIT'

-- statement-009 makes a table macro
CREATE MACRO m() AS TABLE FROM compustat_annual

-- statement-010 makes a schema
CREATE SCHEMA s

-- statement-011 makes a sequence
CREATE SEQUENCE q

-- statement-012 makes a type
CREATE TYPE t AS ENUM ('a')

-- statement-013 makes an index
CREATE INDEX i ON sekrit_scratch (a)

-- statement-014 drops a table
DROP TABLE sekrit_scratch

-- statement-015 drops the permitted view
DROP VIEW crsp_daily

-- statement-016 drops whatever is there
DROP SCHEMA IF EXISTS sekrit_schema CASCADE

-- statement-017 drops a sequence
DROP SEQUENCE sekrit_numbers

-- statement-018 drops a macro
DROP MACRO hidden_macro

-- statement-019 drops a type
DROP TYPE mood

-- statement-020 renames a table
ALTER TABLE sekrit_scratch RENAME TO x

-- statement-021 adds a column
ALTER TABLE sekrit_scratch ADD COLUMN z INT

-- statement-022 renames a view
ALTER VIEW crsp_daily RENAME TO x

-- statement-023 writes a remark
COMMENT ON TABLE sekrit_scratch IS 'x'

-- statement-024 inserts
INSERT INTO sekrit_scratch VALUES (2)

-- statement-025 inserts and shows
INSERT INTO sekrit_scratch SELECT 7 RETURNING a

-- statement-026 inserts or replaces
INSERT OR REPLACE INTO sekrit_scratch VALUES (1), (5)

-- statement-027 inserts by name
INSERT INTO sekrit_scratch BY NAME SELECT 9 AS a

-- statement-028 changes rows
UPDATE sekrit_scratch SET a = 5

-- statement-029 changes rows from another table
UPDATE sekrit_scratch SET a = c.gvkey FROM compustat_annual c

-- statement-030 deletes rows
DELETE FROM sekrit_scratch

-- statement-031 deletes by another table
DELETE FROM sekrit_scratch USING compustat_annual

-- statement-032 empties
TRUNCATE sekrit_scratch

-- statement-033 merges
MERGE INTO sekrit_scratch s USING (SELECT 1 AS a) n ON s.a = n.a WHEN MATCHED THEN DELETE

-- statement-034 writes over the permitted file
COPY (SELECT 'pwned' AS x) TO '{CRSP}' (FORMAT parquet)

-- statement-035 writes a file of CSV
COPY crsp_daily TO '{OUT}/a.csv'

-- statement-036 writes a file of JSON
COPY (FROM compustat_annual) TO '{OUT}/a.json' (FORMAT json)

-- statement-037 writes many files
COPY (SELECT permno % 2 AS p, * FROM crsp_daily) TO '{OUT}/parts' (FORMAT parquet, PARTITION_BY (p))

-- statement-038 writes without a temporary file
COPY (SELECT 1) TO '{OUT}/b.csv' (HEADER false, USE_TMP_FILE false)

-- statement-039 reads a file into a table
COPY sekrit_words FROM '{TXT}' (HEADER false)

-- statement-040 copies a database
COPY FROM DATABASE vault TO memory

-- statement-041 writes everything
EXPORT DATABASE '{OUT}/all'

-- statement-042 writes everything as Parquet
EXPORT DATABASE '{OUT}/all' (FORMAT parquet)

-- statement-043 reads everything
IMPORT DATABASE '{DIR}/exported'

-- statement-044 opens a new database file
ATTACH '{OUT}/new.duckdb' AS fresh

-- statement-045 opens another database
ATTACH '{DB}' AS other (READ_ONLY)

-- statement-046 opens one in memory
ATTACH ':memory:' AS m

-- statement-047 closes a database
DETACH vault

-- statement-048 leaves for another database
USE vault

-- statement-049 leaves for another schema
USE sekrit_schema

-- statement-050 raises the limit of memory
SET memory_limit = '64GB'

-- statement-051 raises the number of threads
SET threads = 16

-- statement-052 names a folder for temporary files
SET temp_directory = '{OUT}/tmp'

-- statement-053 searches files elsewhere
SET file_search_path = '{DIR}'

-- statement-054 searches names elsewhere
SET search_path = 'sekrit_schema'

-- statement-055 looks into the callers' variables
SET python_scan_all_frames = true

-- statement-056 keeps a log
SET enable_logging = false

-- statement-057 orders by default otherwise
SET GLOBAL default_order = 'DESC'

-- statement-058 a setting of the session
SET SESSION default_null_order = 'nulls_first'

-- statement-059 an expression's depth
SET max_expression_depth = 100000

-- statement-060 how long a statement may take
SET max_execution_time = 7

-- statement-061 a variable
SET VARIABLE secret = 1

-- statement-062 a variable from foreign rows
SET VARIABLE loot = (SELECT max(tic) FROM compustat_annual)

-- statement-063 back to the default
RESET home_directory

-- statement-064 a variable away
RESET VARIABLE secret

-- statement-065 columns of a foreign table by pragma
PRAGMA table_info('compustat_annual')

-- statement-066 databases by pragma
PRAGMA database_list

-- statement-067 tables by pragma
PRAGMA show_tables

-- statement-068 all tables by pragma
PRAGMA show_tables_expanded

-- statement-069 the release by pragma
PRAGMA version

-- statement-070 the platform by pragma
PRAGMA platform

-- statement-071 what the server calls itself
PRAGMA user_agent

-- statement-072 the size by pragma
PRAGMA database_size

-- statement-073 how it is stored by pragma
PRAGMA storage_info('sekrit_words')

-- statement-074 a setting by pragma
PRAGMA memory_limit = '64GB'

-- statement-075 a setting by pragma, another
PRAGMA threads = 16

-- statement-076 writes a profile into a file
PRAGMA enable_profiling = 'no_output'

-- statement-077 the plan's rules off
PRAGMA disable_optimizer

-- statement-078 a table function by CALL
CALL pragma_table_info('compustat_annual')

-- statement-079 settings by CALL
CALL duckdb_settings()

-- statement-080 a reader by CALL
CALL read_text('{TXT}')

-- statement-081 names of files by CALL
CALL glob('{DIR}/*')

-- statement-082 keeps a log by CALL
CALL enable_logging('FileSystem')

-- statement-083 ends the log
CALL disable_logging()

-- statement-084 empties the log
CALL truncate_duckdb_logs()

-- statement-085 keeps a statement for later
PREPARE p AS SELECT 1

-- statement-086 runs a statement that was kept
EXECUTE hidden

-- statement-087 throws a kept statement away
DEALLOCATE hidden

-- statement-088 two statements
SELECT 1; SELECT 2

-- statement-089 a query, then a removal
SELECT permno FROM crsp_daily; DROP TABLE sekrit_scratch

-- statement-090 three statements
SELECT 1; SET threads = 9; SELECT 2

-- statement-091 a foreign query comes second
SELECT 1; FROM compustat_annual

-- statement-092 a transaction around
BEGIN; DELETE FROM sekrit_scratch; COMMIT

-- statement-093 a pivot that makes a type first
PIVOT compustat_annual ON tic USING max(atq)

-- statement-094 a fresh pivot in a set of statements
PIVOT crsp_daily ON ticker USING max(ret); FROM compustat_annual

-- statement-095 compacts
VACUUM ANALYZE sekrit_scratch; SELECT 1

-- statement-096 describes a setting in passing
SHOW home_directory; SELECT 1
