-- dynamic-001 a statement in a string
SELECT * FROM query('SELECT * FROM compustat_annual')

-- dynamic-002 a statement in a string made of pieces
SELECT * FROM query('FROM ' || 'compustat' || '_annual')

-- dynamic-003 a statement in a statement in a string
SELECT * FROM (FROM query('FROM query(''FROM compustat_annual'')'))

-- dynamic-004 a table's name in a string
SELECT * FROM query_table('compustat_annual')

-- dynamic-005 several tables' names
SELECT tic FROM query_table(['crsp_daily', 'compustat_annual'], true)

-- dynamic-006 a file's name as a table's name
SELECT tic FROM query_table('{OTHER}')

-- dynamic-007 a statement as JSON
SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM compustat_annual'))

-- dynamic-008 a statement as JSON, by pragma
PRAGMA json_execute_serialized_sql('{SERIALIZED}')

-- dynamic-009 a plan of a foreign table
SELECT json_serialize_plan('SELECT tic FROM compustat_annual')

-- dynamic-010 a variable as a statement
SELECT tic FROM query(getvariable('statement'))

-- dynamic-011 a variable as a table
SELECT gvkey, tic FROM query_table(getvariable('table'))

-- dynamic-012 by CALL
CALL query('FROM compustat_annual')

-- dynamic-013 a named table in CALL
CALL query_table('compustat_annual')

-- dynamic-014 histogram of a foreign table
SELECT * FROM histogram_values(compustat_annual, tic)

-- dynamic-015 a scan by its inner name
SELECT * FROM (SELECT unnest(list(q.tic)) FROM query('FROM compustat_annual') q)

-- dynamic-016 a statement in a string below EXISTS
SELECT 'SEKRIT' WHERE EXISTS (FROM query('FROM compustat_annual'))

-- dynamic-017 a statement in a string in a set operation
SELECT ticker FROM crsp_daily UNION SELECT tic FROM query('FROM compustat_annual')

-- dynamic-018 a statement in a string in a common table expression
WITH q AS (FROM query('FROM compustat_annual')) SELECT max(tic) FROM q

-- dynamic-019 columns chosen by a pattern, of a foreign table
SELECT COLUMNS('^t') FROM compustat_annual

-- dynamic-020 columns chosen by a lambda, of a foreign table
SELECT COLUMNS(lambda c: c LIKE 'ti%') FROM compustat_annual

-- dynamic-021 columns unpacked, of a foreign table
SELECT concat(*COLUMNS(*)) FROM compustat_annual

-- dynamic-022 column names tell of a file
SELECT COLUMNS('sekrit') FROM '{OTHER}'

-- dynamic-023 list aggregate by name over a foreign list
SELECT list_aggregate((SELECT list(tic) FROM compustat_annual), 'max')

-- dynamic-024 reduce over a foreign list
SELECT list_reduce((SELECT list(tic) FROM compustat_annual), lambda a, b: a || b)

-- dynamic-025 a struct of a whole foreign row
SELECT compustat_annual FROM compustat_annual

-- dynamic-026 a foreign row as JSON
SELECT to_json(c) FROM compustat_annual c

-- dynamic-027 hides a name behind a macro
SELECT m FROM (SELECT hidden_macro() AS m)

-- dynamic-028 makes a type out of a string
SELECT 'SEKRIT' || typeof(CAST(NULL AS mood))

-- dynamic-029 writes to the server's log
SELECT write_log('SEKRIT', level := 'error', scope := 'database')
