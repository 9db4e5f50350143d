-- setop-001 union
SELECT permno FROM crsp_daily WHERE ret > 0.03 UNION SELECT permno FROM crsp_daily WHERE ret < -0.03

-- setop-002 union of all
SELECT permno, ret FROM crsp_daily UNION ALL SELECT permno, ret FROM crsp_monthly

-- setop-003 by name
SELECT permno, date, ret FROM crsp_daily UNION ALL BY NAME SELECT ret, permno FROM crsp_monthly

-- setop-004 what is common
SELECT date FROM crsp_daily INTERSECT SELECT date FROM ff_factors_daily

-- setop-005 what is common, as often
SELECT permno FROM crsp_daily INTERSECT ALL SELECT permno FROM crsp_monthly

-- setop-006 what is missing
SELECT date FROM ff_factors_daily EXCEPT SELECT date FROM crsp_daily

-- setop-007 what is missing, as often
SELECT permno FROM crsp_daily EXCEPT ALL SELECT permno FROM crsp_names

-- setop-008 several in order
(SELECT 1 AS n UNION SELECT 2) EXCEPT SELECT 2 ORDER BY n

-- setop-009 ordered at the end
SELECT permno AS id FROM crsp_names UNION SELECT shrout FROM crsp_daily ORDER BY id DESC

-- setop-010 by name without doubles
SELECT permno FROM crsp_names UNION BY NAME SELECT permno, exchange FROM crsp_names

-- setop-011 values
VALUES (1, 'a'), (2, 'b')

-- setop-012 values with a filter
SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (3, NULL)) AS v(n, s) WHERE s IS NOT NULL
