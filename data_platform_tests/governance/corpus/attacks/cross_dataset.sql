-- cross_dataset-001 plainly
SELECT * FROM compustat_annual

-- cross_dataset-002 with its schema
SELECT tic FROM main.compustat_annual

-- cross_dataset-003 with its catalog
SELECT atq, tic FROM memory.main.compustat_annual

-- cross_dataset-004 a table of the same name in another schema
SELECT owner FROM sekrit_schema.crsp_daily

-- cross_dataset-005 the same, quoted
SELECT max("owner") FROM "sekrit_schema"."crsp_daily"

-- cross_dataset-006 a table of another database
SELECT owner FROM vault.main.ledger

-- cross_dataset-007 a table of another database, short
SELECT owner, 1 FROM vault.ledger

-- cross_dataset-008 without SELECT
FROM compustat_annual SELECT tic

-- cross_dataset-009 in a join
SELECT c.permno, k.tic FROM crsp_daily c JOIN compustat_annual k ON c.permno > k.gvkey

-- cross_dataset-010 in a left join
SELECT k.tic FROM crsp_daily c LEFT JOIN compustat_annual k ON true

-- cross_dataset-011 in a natural join
SELECT tic FROM (SELECT 7 AS gvkey) NATURAL JOIN compustat_annual

-- cross_dataset-012 in a cross join
SELECT tic FROM crsp_daily CROSS JOIN compustat_annual

-- cross_dataset-013 in an ASOF join
SELECT k.tic FROM crsp_daily c ASOF JOIN compustat_annual k ON c.permno >= k.gvkey

-- cross_dataset-014 in a positional join
SELECT tic FROM crsp_daily POSITIONAL JOIN compustat_annual

-- cross_dataset-015 in a semi join, one bit at a time
SELECT 'SEKRIT' FROM range(9) r(x) SEMI JOIN compustat_annual k ON k.gvkey = r.x

-- cross_dataset-016 in an anti join
SELECT DISTINCT 'SEKRIT' FROM crsp_daily c ANTI JOIN compustat_annual k ON k.gvkey = c.permno

-- cross_dataset-017 in a comma list
SELECT k.* FROM crsp_daily, compustat_annual AS k

-- cross_dataset-018 in IN
SELECT 'SEKRIT' WHERE 7 IN (SELECT gvkey FROM compustat_annual)

-- cross_dataset-019 in NOT EXISTS
SELECT 'SEKRIT' WHERE NOT EXISTS (SELECT 1 FROM compustat_annual WHERE gvkey = 8)

-- cross_dataset-020 in ALL
SELECT 'SEKRIT' WHERE 7 <= ALL (SELECT gvkey FROM compustat_annual)

-- cross_dataset-021 as a scalar
SELECT (SELECT max(tic) FROM compustat_annual)

-- cross_dataset-022 as a scalar that depends on the row
SELECT (SELECT tic FROM compustat_annual k WHERE k.gvkey < c.permno) FROM crsp_daily c

-- cross_dataset-023 as an array
SELECT ARRAY(SELECT tic FROM compustat_annual)

-- cross_dataset-024 in CASE
SELECT CASE WHEN ret > 0 THEN (SELECT max(tic) FROM compustat_annual) ELSE (SELECT min(tic) FROM compustat_annual) END FROM crsp_daily

-- cross_dataset-025 in COALESCE
SELECT coalesce(NULL, (SELECT max(tic) FROM compustat_annual))

-- cross_dataset-026 in a struct
SELECT {'a': (SELECT max(tic) FROM compustat_annual)}

-- cross_dataset-027 in a list
SELECT [(SELECT max(tic) FROM compustat_annual), 'x']

-- cross_dataset-028 in a map
SELECT MAP {'k': (SELECT max(tic) FROM compustat_annual)}

-- cross_dataset-029 in an index
SELECT ['SEKRIT', 'b'][(SELECT gvkey - 6 FROM compustat_annual)]

-- cross_dataset-030 in a cast
SELECT (SELECT max(atq) FROM compustat_annual)::VARCHAR

-- cross_dataset-031 in BETWEEN
SELECT 'SEKRIT' WHERE 7 BETWEEN (SELECT min(gvkey) FROM compustat_annual) AND 9

-- cross_dataset-032 in LIKE
SELECT 'SEKRIT' WHERE (SELECT max(tic) FROM compustat_annual) LIKE 'S%'

-- cross_dataset-033 in an operator
SELECT 0 + (SELECT max(atq) FROM compustat_annual)

-- cross_dataset-034 in WHERE
SELECT 'SEKRIT' FROM crsp_daily WHERE permno > (SELECT gvkey FROM compustat_annual)

-- cross_dataset-035 in HAVING
SELECT 'SEKRIT', permno FROM crsp_daily GROUP BY permno HAVING max(ret) < (SELECT max(atq) FROM compustat_annual)

-- cross_dataset-036 in GROUP BY
SELECT max(ticker) || 'SEKRIT' FROM crsp_daily GROUP BY (SELECT gvkey FROM compustat_annual)

-- cross_dataset-037 in QUALIFY
SELECT 'SEKRIT' FROM crsp_daily QUALIFY row_number() OVER (ORDER BY (SELECT max(atq) FROM compustat_annual)) = 1

-- cross_dataset-038 in PARTITION BY
SELECT 'SEKRIT', sum(ret) OVER (PARTITION BY (SELECT gvkey FROM compustat_annual)) FROM crsp_daily

-- cross_dataset-039 in a frame
SELECT 'SEKRIT', sum(ret) OVER (ORDER BY date ROWS (SELECT gvkey FROM compustat_annual) PRECEDING) FROM crsp_daily

-- cross_dataset-040 in a named window
SELECT 'SEKRIT', sum(ret) OVER w FROM crsp_daily WINDOW w AS (ORDER BY (SELECT max(tic) FROM compustat_annual))

-- cross_dataset-041 in FILTER
SELECT 'SEKRIT', sum(ret) FILTER (WHERE (SELECT max(gvkey) FROM compustat_annual) = 7) FROM crsp_daily

-- cross_dataset-042 in the order within an aggregate
SELECT 'SEKRIT', list(ret ORDER BY (SELECT max(gvkey) FROM compustat_annual)) FROM crsp_daily

-- cross_dataset-043 in ORDER BY
SELECT 'SEKRIT' FROM crsp_daily ORDER BY (SELECT max(gvkey) FROM compustat_annual)

-- cross_dataset-044 in LIMIT
SELECT 'SEKRIT' FROM crsp_daily LIMIT (SELECT max(gvkey) FROM compustat_annual)

-- cross_dataset-045 in OFFSET
SELECT 'SEKRIT' FROM crsp_daily LIMIT 5 OFFSET (SELECT max(gvkey) FROM compustat_annual)

-- cross_dataset-046 in DISTINCT ON
SELECT DISTINCT ON ((SELECT gvkey FROM compustat_annual)) 'SEKRIT' FROM crsp_daily

-- cross_dataset-047 in VALUES
VALUES ((SELECT max(tic) FROM compustat_annual))

-- cross_dataset-048 in a list of values in FROM
SELECT * FROM (VALUES ((SELECT max(tic) FROM compustat_annual)), ('x')) v(a)

-- cross_dataset-049 in UNION
SELECT ticker FROM crsp_daily UNION SELECT tic FROM compustat_annual

-- cross_dataset-050 in UNION ALL BY NAME
SELECT ticker FROM crsp_daily UNION ALL BY NAME SELECT tic FROM compustat_annual

-- cross_dataset-051 in EXCEPT
SELECT tic FROM compustat_annual EXCEPT SELECT ticker FROM crsp_daily

-- cross_dataset-052 in INTERSECT
SELECT 'SEKRIT-AAPL' INTERSECT SELECT tic FROM compustat_annual

-- cross_dataset-053 in a common table expression
WITH x AS (FROM compustat_annual) SELECT tic FROM x

-- cross_dataset-054 in one that is kept
WITH x AS MATERIALIZED (SELECT tic FROM compustat_annual) FROM x

-- cross_dataset-055 in one within one
WITH x AS (WITH y AS (FROM compustat_annual) FROM y) SELECT max(tic) FROM x

-- cross_dataset-056 in the recursive branch
WITH RECURSIVE r AS (SELECT 1 AS n, '' AS t UNION ALL SELECT n + 1, tic FROM r, compustat_annual WHERE n < 3) FROM r

-- cross_dataset-057 in the first branch
WITH RECURSIVE r AS (SELECT gvkey AS n, tic FROM compustat_annual UNION ALL SELECT n + 1, tic FROM r WHERE n < 9) FROM r

-- cross_dataset-058 in a keyed recursion
WITH RECURSIVE r(k, t) USING KEY (k) AS (SELECT 1, tic FROM compustat_annual UNION SELECT k + 1, t FROM r WHERE k < 3) FROM r

-- cross_dataset-059 in a lateral subquery
SELECT l.tic FROM crsp_daily c, LATERAL (SELECT tic FROM compustat_annual WHERE gvkey < c.permno) l

-- cross_dataset-060 in an argument of a table function
SELECT 'SEKRIT', * FROM range((SELECT gvkey FROM compustat_annual))

-- cross_dataset-061 in UNNEST
SELECT unnest((SELECT list(tic) FROM compustat_annual))

-- cross_dataset-062 in UNNEST in FROM
SELECT * FROM unnest((SELECT list(tic) FROM compustat_annual))

-- cross_dataset-063 in PIVOT
PIVOT compustat_annual ON gvkey IN (7) USING max(tic)

-- cross_dataset-064 in UNPIVOT
UNPIVOT compustat_annual ON tic INTO NAME n VALUE v

-- cross_dataset-065 in an unpivot of the standard
SELECT v FROM compustat_annual UNPIVOT (v FOR n IN (tic))

-- cross_dataset-066 in a sample
SELECT tic FROM compustat_annual USING SAMPLE 1 ROWS

-- cross_dataset-067 in a sample of the table
SELECT tic FROM compustat_annual TABLESAMPLE reservoir(1 ROWS)

-- cross_dataset-068 in REPLACE
SELECT * REPLACE ((SELECT max(tic) FROM compustat_annual) AS ticker) FROM crsp_daily

-- cross_dataset-069 with an alias before the table
SELECT k.tic FROM k: compustat_annual

-- cross_dataset-070 under EXCLUDE
SELECT * EXCLUDE (gvkey, atq) FROM compustat_annual

-- cross_dataset-071 by position
SELECT #3 FROM compustat_annual

-- cross_dataset-072 all columns of an alias
SELECT k.* RENAME (tic AS x) FROM compustat_annual k

-- cross_dataset-073 grouped into one text
SELECT string_agg(tic, ',') FROM compustat_annual

-- cross_dataset-074 as the key of the largest
SELECT arg_max(tic, atq) FROM compustat_annual

-- cross_dataset-075 as a histogram
SELECT histogram(tic) FROM compustat_annual

-- cross_dataset-076 grouped by all
SELECT tic, count(*) FROM compustat_annual GROUP BY ALL

-- cross_dataset-077 grouping sets
SELECT tic, gvkey, sum(atq) FROM compustat_annual GROUP BY GROUPING SETS ((tic), (gvkey), ())

-- cross_dataset-078 rolled up
SELECT tic, sum(atq) FROM compustat_annual GROUP BY ROLLUP (tic)

-- cross_dataset-079 over a window
SELECT first_value(tic) OVER (ORDER BY atq) FROM compustat_annual

-- cross_dataset-080 a factor table that needs a permission of its own
SELECT max(mktrf) FROM ff_factors_daily

-- cross_dataset-081 the same, joined by USING
SELECT c.ret - f.rf, f.mktrf FROM crsp_daily c JOIN ff_factors_daily f USING (date)

-- cross_dataset-082 in a full join
SELECT tic FROM crsp_daily FULL JOIN compustat_annual ON permno = gvkey

-- cross_dataset-083 in COLLATE
SELECT (SELECT max(tic) FROM compustat_annual) COLLATE NOCASE

-- cross_dataset-084 as half of a comparison that only tells the order
SELECT CASE WHEN (SELECT atq FROM compustat_annual) > 1 THEN 'SEKRIT' END

-- cross_dataset-085 by extract
SELECT substring((SELECT tic FROM compustat_annual) FROM 1 FOR 6)

-- cross_dataset-086 as another version of the foreign table
SELECT tic FROM compustat_annual ORDER BY ALL LIMIT 100%
