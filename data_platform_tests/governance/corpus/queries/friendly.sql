-- friendly-001 FROM first
FROM crsp_names

-- friendly-002 FROM, then SELECT
FROM crsp_daily SELECT permno, max(ret) GROUP BY permno

-- friendly-003 without two columns
SELECT * EXCLUDE (vol, shrout) FROM crsp_daily

-- friendly-004 one replaced
SELECT * REPLACE (round(ret, 2) AS ret) FROM crsp_daily

-- friendly-005 one renamed
SELECT * RENAME (permno AS id) FROM crsp_names

-- friendly-006 columns by a pattern
SELECT COLUMNS('^(prc|ret)$') FROM crsp_daily

-- friendly-007 columns by a lambda
SELECT COLUMNS(lambda c: c LIKE '%r%') FROM crsp_names

-- friendly-008 columns by a list
SELECT max(COLUMNS(['mktrf', 'smb'])) FROM ff_factors_daily

-- friendly-009 unpacked columns
SELECT coalesce(*COLUMNS(['mktrf', 'smb'])) FROM ff_factors_daily

-- friendly-010 columns that match
SELECT * LIKE 'p%' FROM crsp_daily

-- friendly-011 all columns counted
SELECT count(COLUMNS(*)) FROM crsp_daily

-- friendly-012 alias first
SELECT id: permno, doubled: ret * 2 FROM crsp_daily

-- friendly-013 chained calls
SELECT ticker.lower().replace('t', 'x').length() FROM crsp_daily

-- friendly-014 sample of rows, repeatable
SELECT count(*) FROM crsp_daily USING SAMPLE reservoir(20 ROWS) REPEATABLE (42)

-- friendly-015 sample of a table, repeatable
SELECT permno, date FROM crsp_daily TABLESAMPLE reservoir(15 ROWS) REPEATABLE (7)

-- friendly-016 trailing comma and semicolon
SELECT permno, date, FROM crsp_daily;

-- friendly-017 double dollar
SELECT $$it's$$ AS s

-- friendly-018 capitals as they come
select PERMNO, Ret from CRSP_Daily where TICKER = 'T10001'

-- friendly-019 quoted names
SELECT "permno" AS "the id" FROM "crsp_daily" AS "t"

-- friendly-020 with the schema
SELECT m.permno FROM main.crsp_monthly AS m

-- friendly-021 structs from tables
SELECT c FROM crsp_names c

-- friendly-022 described
DESCRIBE crsp_daily

-- friendly-023 described query
DESCRIBE SELECT permno, avg(ret) AS mean FROM crsp_daily GROUP BY permno

-- friendly-024 summarized query
SUMMARIZE SELECT permno, shrout FROM crsp_daily

-- friendly-025 described in FROM
SELECT column_name, column_type FROM (DESCRIBE crsp_names)
