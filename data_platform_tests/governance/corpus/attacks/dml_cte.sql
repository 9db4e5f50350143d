-- dml_cte-001 inserts within a query
WITH a AS (INSERT INTO sekrit_scratch VALUES (3) RETURNING *) SELECT * FROM a

-- dml_cte-002 inserts, and the query does not look
WITH a AS (INSERT INTO sekrit_scratch VALUES (3) RETURNING *) SELECT 1

-- dml_cte-003 inserts foreign rows
WITH a AS (INSERT INTO sekrit_scratch SELECT gvkey FROM compustat_annual RETURNING a) SELECT max(a) FROM a

-- dml_cte-004 deletes within a query
WITH a AS (DELETE FROM sekrit_scratch RETURNING *) SELECT * FROM a

-- dml_cte-005 deletes some
WITH a AS (DELETE FROM sekrit_scratch WHERE a > 0 RETURNING a) SELECT count(*) FROM a

-- dml_cte-006 changes within a query
WITH a AS (UPDATE sekrit_scratch SET a = 4 RETURNING *) SELECT * FROM a

-- dml_cte-007 changes from a foreign table
WITH a AS (UPDATE sekrit_scratch SET a = c.gvkey FROM compustat_annual c RETURNING *) FROM a

-- dml_cte-008 writes a file within a query
WITH a AS (COPY (SELECT 1 AS x) TO '{OUT}/cte.csv') SELECT * FROM a

-- dml_cte-009 writes over the permitted file
WITH a AS (COPY (SELECT 'pwned' AS x) TO '{CRSP}' (FORMAT parquet, USE_TMP_FILE false)) SELECT count(*) FROM a

-- dml_cte-010 writes foreign rows
WITH a AS (COPY compustat_annual TO '{OUT}/cte.parquet') FROM a

-- dml_cte-011 second in the list
WITH b AS (SELECT 2 AS n), a AS (INSERT INTO sekrit_scratch SELECT n FROM b RETURNING *) SELECT * FROM a

-- dml_cte-012 two changes
WITH a AS (INSERT INTO sekrit_scratch VALUES (3) RETURNING *), b AS (DELETE FROM sekrit_words RETURNING *) FROM a, b

-- dml_cte-013 kept apart on purpose
WITH a AS MATERIALIZED (INSERT INTO sekrit_scratch VALUES (3) RETURNING *) FROM a

-- dml_cte-014 under a set operation
WITH a AS (DELETE FROM sekrit_scratch RETURNING a) SELECT a FROM a UNION ALL SELECT permno FROM crsp_daily

-- dml_cte-015 joined to the permitted table
WITH a AS (UPDATE sekrit_scratch SET a = 6 RETURNING a) SELECT c.* FROM crsp_daily c JOIN a ON c.permno > a.a

-- dml_cte-016 on a conflict
WITH a AS (INSERT INTO sekrit_scratch VALUES (1) ON CONFLICT DO UPDATE SET a = 8 RETURNING *) FROM a

-- dml_cte-017 inserts default values
WITH a AS (INSERT INTO sekrit_scratch DEFAULT VALUES RETURNING *) FROM a

-- dml_cte-018 ordered and cut
WITH a AS (DELETE FROM sekrit_words RETURNING *) SELECT * FROM a ORDER BY 1 LIMIT 1

-- dml_cte-019 in EXISTS of the outer query
WITH a AS (DELETE FROM sekrit_words RETURNING *) SELECT 'SEKRIT' WHERE EXISTS (FROM a)

-- dml_cte-020 inserts by name
WITH a AS (INSERT INTO sekrit_scratch BY NAME SELECT 12 AS a RETURNING *) FROM a
