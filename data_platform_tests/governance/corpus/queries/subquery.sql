-- subquery-001 of the best day
SELECT permno, date, ret FROM crsp_daily c WHERE ret = (SELECT max(ret) FROM crsp_daily d WHERE d.permno = c.permno)

-- subquery-002 exists
SELECT permno FROM crsp_names n WHERE EXISTS (SELECT 1 FROM crsp_daily c WHERE c.permno = n.permno AND c.ret < -0.03)

-- subquery-003 does not exist
SELECT date FROM ff_factors_daily f WHERE NOT EXISTS (FROM crsp_daily c WHERE c.date = f.date)

-- subquery-004 in
SELECT date FROM ff_factors_daily WHERE date IN (SELECT date FROM crsp_daily WHERE ret > 0.04)

-- subquery-005 not in
SELECT permno FROM crsp_names WHERE permno NOT IN (SELECT permno FROM crsp_daily WHERE vol > 4000)

-- subquery-006 any
SELECT DISTINCT permno FROM crsp_daily WHERE permno = ANY (SELECT permno FROM crsp_names WHERE exchange = 'N')

-- subquery-007 all
SELECT permno, date FROM crsp_daily WHERE ret >= ALL (SELECT ret FROM crsp_daily WHERE ret IS NOT NULL)

-- subquery-008 in the list of columns
SELECT permno, (SELECT avg(mktrf) FROM ff_factors_daily) AS market FROM crsp_names

-- subquery-009 correlated in the list of columns
SELECT n.permno, (SELECT count(*) FROM crsp_daily c WHERE c.permno = n.permno AND c.ret > 0) AS ups FROM crsp_names n

-- subquery-010 from a subquery with column names
SELECT d, r FROM (SELECT date, ret FROM crsp_daily WHERE permno = 10001) AS t(d, r)

-- subquery-011 as a list
SELECT n.permno, ARRAY(SELECT ret FROM crsp_daily c WHERE c.permno = n.permno ORDER BY date LIMIT 3) FROM crsp_names n

-- subquery-012 a tuple in a subquery
SELECT permno, date FROM crsp_daily WHERE (permno, date) IN (SELECT permno, max(date) FROM crsp_daily GROUP BY permno)

-- subquery-013 in CASE
SELECT permno, CASE WHEN prc > (SELECT median(prc) FROM crsp_daily) THEN 'big' ELSE 'small' END FROM crsp_daily

-- subquery-014 in LIMIT
SELECT permno, date FROM crsp_daily ORDER BY permno, date LIMIT (SELECT count(DISTINCT permno) FROM crsp_daily)
