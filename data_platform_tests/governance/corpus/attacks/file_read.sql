-- file_read-001 reads another dataset's file
SELECT * FROM read_parquet('{OTHER}')

-- file_read-002 the older name of the reader
SELECT * FROM parquet_scan('{OTHER}')

-- file_read-003 a permitted file comes first in the list
SELECT * FROM read_parquet(['{CRSP}', '{OTHER}'], union_by_name = true)

-- file_read-004 a list that is made at run time
SELECT * FROM read_parquet(list_transform(['{OTHER}'], lambda x: x))

-- file_read-005 a path put together from pieces
SELECT * FROM read_parquet(concat('{DIR}', '/', 'other', '.parquet'))

-- file_read-006 a path that is spelled backwards
SELECT * FROM read_parquet(reverse('{REVERSED_OTHER}'))

-- file_read-007 a path hidden in base64
SELECT * FROM read_parquet(from_base64('{BASE64_OTHER}')::VARCHAR)

-- file_read-008 the reader's own column with the path
SELECT filename FROM read_parquet('{CRSP}', filename = true) LIMIT 1

-- file_read-009 a glob over the data folder
SELECT max(tic) FROM read_parquet('{DIR}/*.parquet', union_by_name = true)

-- file_read-010 a file as a table
SELECT * FROM '{OTHER}'

-- file_read-011 a file as a table, without SELECT
FROM '{OTHER}' LIMIT 5

-- file_read-012 a quoted file with an alias and a column list
SELECT t.c FROM "{OTHER}" AS t(a, b, c, d)

-- file_read-013 a link in the permitted folder
SELECT tic, atq FROM '{LINK}'

-- file_read-014 through /proc/self/root
SELECT upper(tic) FROM '/proc/self/root{OTHER}'

-- file_read-015 through the process's working folder
SELECT lower(content) FROM read_text('/proc/self/cwd/../../../../../../../../../..{TXT}')

-- file_read-016 dots in a path
SELECT tic FROM '{DIR}/out/../other.parquet' WHERE atq > 0

-- file_read-017 a file: URL
SELECT count(*), max(tic) FROM 'file://{OTHER}'

-- file_read-018 a glob as a table
SELECT any_value(tic) FROM '{DIR}/oth*.parquet'

-- file_read-019 a folder tree as a table
SELECT DISTINCT tic FROM '{DIR}/**/other.parquet'

-- file_read-020 a CSV file as a table
SELECT * FROM '{CSV}' ORDER BY 1

-- file_read-021 a JSON file as a table
SELECT a FROM '{JSON}' LIMIT 1

-- file_read-022 a text file whole
SELECT content FROM read_text('{TXT}')

-- file_read-023 a text file's size and path
SELECT filename, size FROM read_text('{TXT}')

-- file_read-024 bytes of a file
SELECT decode(content) FROM read_blob('{TXT}')

-- file_read-025 CSV of anything
SELECT * FROM read_csv('{TXT}', header = false, columns = {'line': 'VARCHAR'})

-- file_read-026 CSV found by itself
SELECT * FROM read_csv_auto('{CSV}')

-- file_read-027 lines of any file by a separator that does not occur
SELECT column0 FROM read_csv('{TXT}', sep = '|', header = false, quote = '', auto_detect = true)

-- file_read-028 rejected lines hold what was read
SELECT * FROM sniff_csv('{CSV}')

-- file_read-029 JSON
SELECT * FROM read_json('{JSON}')

-- file_read-030 JSON found by itself
SELECT * FROM read_json_auto('{JSON}')

-- file_read-031 JSON objects
SELECT json FROM read_json_objects('{JSON}')

-- file_read-032 JSON objects found by themselves
SELECT json FROM read_json_objects_auto('{JSON}')

-- file_read-033 JSON lines
SELECT * FROM read_ndjson('{JSON}')

-- file_read-034 JSON lines found by themselves
SELECT * FROM read_ndjson_auto('{JSON}')

-- file_read-035 JSON lines as objects
SELECT json FROM read_ndjson_objects('{JSON}')

-- file_read-036 a database file
SELECT * FROM read_duckdb('{DB}', table_name = 'ledger')

-- file_read-037 a database file as a table
SELECT owner FROM '{DB}'

-- file_read-038 names of files
SELECT file FROM glob('{DIR}/*')

-- file_read-039 names of files as one list
SELECT list(file) FROM glob('{DIR}/*')

-- file_read-040 statistics of another file hold its values
SELECT stats_max FROM parquet_metadata('{OTHER}')

-- file_read-041 columns of another file
SELECT name FROM parquet_schema('{OTHER}')

-- file_read-042 notes in another file
SELECT decode(value) FROM parquet_kv_metadata('{OTHER}')

-- file_read-043 everything about another file
SELECT * FROM parquet_full_metadata('{OTHER}')

-- file_read-044 the path of the permitted file
SELECT file_name FROM parquet_file_metadata('{CRSP}')

-- file_read-045 asks another file's filter whether a value occurs
SELECT file_name, bloom_filter_excludes FROM parquet_bloom_probe('{OTHER}', 'tic', 'SEKRIT-AAPL')

-- file_read-046 reader in a scalar subquery
SELECT (SELECT content FROM read_text('{TXT}'))

-- file_read-047 reader in EXISTS, one bit at a time
SELECT CASE WHEN EXISTS (FROM read_text('{TXT}') WHERE content LIKE 'SEKRIT%') THEN 'SEKRIT' END

-- file_read-048 reader in a common table expression
WITH x AS (FROM read_text('{TXT}')) SELECT content FROM x

-- file_read-049 reader under a set operation
SELECT ticker FROM crsp_daily UNION ALL SELECT content FROM read_text('{TXT}')

-- file_read-050 reader joined to a permitted table
SELECT c.permno, t.content FROM crsp_daily c, read_text('{TXT}') t

-- file_read-051 reader in a lateral join
SELECT r.content FROM crsp_daily c, LATERAL (SELECT content FROM read_text('{TXT}')) r

-- file_read-052 reader behind a positional join
SELECT * FROM crsp_daily POSITIONAL JOIN '{OTHER}'

-- file_read-053 reader below PIVOT
PIVOT (FROM '{OTHER}') ON gvkey IN (7) USING first(tic)

-- file_read-054 reader below UNPIVOT
UNPIVOT (FROM '{OTHER}') ON tic INTO NAME n VALUE v

-- file_read-055 describes a file
DESCRIBE SELECT * FROM '{OTHER}'

-- file_read-056 summarizes a file
SUMMARIZE SELECT tic FROM '{OTHER}'

-- file_read-057 reader with its schema
SELECT * FROM system.main.read_text('{TXT}')

-- file_read-058 a table function that reads files under another name
SELECT * FROM read_single_csv_file('{CSV}')

-- file_read-059 a hive folder gives columns
SELECT tic, year FROM read_parquet('{DIR}/hive/*/*.parquet', hive_partitioning = true)

-- file_read-060 a file is opened in LIMIT
SELECT repeat('SEKRIT', 1) FROM range(9) LIMIT (SELECT count(*) FROM read_text('{TXT}'))

-- file_read-061 who runs the server
SELECT content FROM read_text('/etc/passwd') WHERE content LIKE '%root%'

-- file_read-062 the environment of the process
SELECT content::VARCHAR FROM read_blob('/proc/self/environ')

-- file_read-063 the command line of the process
SELECT replace(content::VARCHAR, '\x00', ' ') FROM read_blob('/proc/self/cmdline')
