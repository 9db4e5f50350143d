-- shadowing-001 the name is used before it is shadowed
WITH a AS (FROM compustat_annual), compustat_annual AS (SELECT 1) FROM a

-- shadowing-002 shadowed only inside
SELECT k.tic FROM compustat_annual k, (WITH compustat_annual AS (SELECT 1) FROM compustat_annual)

-- shadowing-003 shadows itself
WITH compustat_annual AS (FROM compustat_annual) FROM compustat_annual

-- shadowing-004 an inner query defines what the outer one takes
SELECT (WITH compustat_annual AS (SELECT 1) SELECT count(*) FROM compustat_annual), (SELECT max(tic) FROM compustat_annual)

-- shadowing-005 the permitted name is defined over the foreign one
WITH crsp_daily AS (FROM compustat_annual) SELECT tic FROM crsp_daily

-- shadowing-006 an alias of the permitted name
SELECT crsp_daily.tic FROM compustat_annual AS crsp_daily

-- shadowing-007 the qualified name goes past the definition
WITH compustat_annual AS (SELECT 1 AS tic) SELECT tic FROM main.compustat_annual

-- shadowing-008 the fully qualified name goes past it
WITH compustat_annual AS (SELECT 1) SELECT max(tic) FROM memory.main.compustat_annual

-- shadowing-009 a definition of the schema's name
WITH sekrit_schema AS (SELECT 1) SELECT owner FROM sekrit_schema.crsp_daily

-- shadowing-010 a definition in capitals of the other name
WITH "COMPUSTAT" AS (SELECT 1) SELECT tic FROM "COMPUSTAT_ANNUAL"

-- shadowing-011 a definition in one branch of a union
(WITH compustat_annual AS (SELECT 'x' AS tic) SELECT tic FROM compustat_annual) UNION ALL SELECT tic FROM compustat_annual

-- shadowing-012 a definition in a subquery of the join
SELECT b.tic FROM (WITH compustat_annual AS (SELECT 1 AS a) FROM compustat_annual) x JOIN compustat_annual b ON true

-- shadowing-013 a definition in EXISTS
SELECT tic FROM compustat_annual WHERE EXISTS (WITH compustat_annual AS (SELECT 1) FROM compustat_annual)

-- shadowing-014 a definition in IN
SELECT tic FROM compustat_annual WHERE 1 IN (WITH compustat_annual AS (SELECT 1) FROM compustat_annual)

-- shadowing-015 a recursive definition that is not recursive
WITH RECURSIVE x AS (FROM compustat_annual), compustat_annual AS (SELECT 1 AS n) SELECT tic FROM x

-- shadowing-016 a later definition takes an earlier one of the name
WITH x AS (SELECT 1), y AS (SELECT tic FROM compustat_annual), compustat_annual AS (FROM x) SELECT tic FROM y

-- shadowing-017 a column of the name
SELECT compustat_annual FROM (SELECT tic AS compustat_annual FROM compustat_annual)

-- shadowing-018 a file shadowed by a definition of its name elsewhere
SELECT tic FROM '{OTHER}', (WITH "other.parquet" AS (SELECT 1) FROM "other.parquet")

-- shadowing-019 a definition that is used twice at different depth
WITH a AS (SELECT (WITH ff_factors_daily AS (SELECT 1 AS mktrf) SELECT max(mktrf) FROM ff_factors_daily)) SELECT max(mktrf) FROM ff_factors_daily, a

-- shadowing-020 a definition behind a lateral
SELECT x.tic FROM crsp_daily c, LATERAL (WITH y AS (FROM compustat_annual) SELECT tic FROM y) x

-- shadowing-021 a system view's name defined elsewhere
SELECT v.sql FROM duckdb_views v, (WITH duckdb_views AS (SELECT 1) FROM duckdb_views)

-- shadowing-022 the window's name is the table's
SELECT tic, row_number() OVER compustat_annual FROM compustat_annual WINDOW compustat_annual AS (ORDER BY tic)

-- shadowing-023 a lambda's parameter is the table's name
SELECT list_transform([1], lambda compustat_annual: compustat_annual + 1), tic FROM compustat_annual
