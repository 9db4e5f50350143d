-- python_scan-001 a pandas frame of the calling code
SELECT * FROM secret_df

-- python_scan-002 an Arrow table of the calling code
SELECT owner FROM secret_arrow

-- python_scan-003 a batch of the calling code
SELECT max(owner) FROM secret_batch

-- python_scan-004 a frame in a module
SELECT min(owner) FROM secret_module_df

-- python_scan-005 through a definition
WITH a AS (FROM secret_df) SELECT owner FROM a

-- python_scan-006 in a join
SELECT d.owner FROM crsp_daily c, secret_df d

-- python_scan-007 in a subquery
SELECT (SELECT max(owner) FROM secret_df)

-- python_scan-008 in a set operation
SELECT ticker FROM crsp_daily UNION ALL SELECT owner FROM secret_arrow

-- python_scan-009 in PIVOT
PIVOT secret_df ON n IN (1) USING max(owner)

-- python_scan-010 described
DESCRIBE SELECT owner AS sekrit_owner FROM secret_df

-- python_scan-011 summarized
SUMMARIZE secret_df

-- python_scan-012 by its name in a string
SELECT owner FROM query_table('secret_df')

-- python_scan-013 by a statement in a string
SELECT owner FROM query('FROM secret_arrow')

-- python_scan-014 a numpy dictionary of the calling code
SELECT owner FROM secret_dict

-- python_scan-015 a reader of batches
SELECT owner || '' FROM secret_reader

-- python_scan-016 in EXISTS
SELECT 'SEKRIT' WHERE EXISTS (FROM secret_df WHERE n = 1)

-- python_scan-017 in a lateral subquery
SELECT l.owner FROM crsp_daily c, LATERAL (SELECT owner FROM secret_df WHERE n < c.permno) l

-- python_scan-018 grouped
SELECT string_agg(owner, ',') FROM secret_df GROUP BY n

-- python_scan-019 a polars frame of the calling code
SELECT owner FROM secret_polars
