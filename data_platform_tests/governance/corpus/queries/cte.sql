-- cte-001 one
WITH r AS (SELECT permno, ret FROM crsp_daily WHERE ret IS NOT NULL) SELECT permno, avg(ret) FROM r GROUP BY permno

-- cte-002 two, the second on the first
WITH r AS (FROM crsp_daily WHERE ret IS NOT NULL), s AS (SELECT permno, stddev(ret) AS sd FROM r GROUP BY 1) SELECT * FROM s WHERE sd > (SELECT avg(sd) FROM s)

-- cte-003 of the name of the table
WITH crsp_daily AS (SELECT * FROM crsp_daily WHERE permno = 10001) SELECT count(*) FROM crsp_daily

-- cte-004 kept
WITH m AS MATERIALIZED (SELECT date, avg(ret) AS market FROM crsp_daily GROUP BY date) SELECT a.date, a.market - b.market FROM m a JOIN m b ON a.date = b.date + 1

-- cte-005 not kept
WITH m AS NOT MATERIALIZED (SELECT max(date) AS d FROM crsp_daily) SELECT c.* FROM crsp_daily c, m WHERE c.date = m.d

-- cte-006 with column names
WITH m(id, n) AS (SELECT permno, count(*) FROM crsp_daily GROUP BY permno) SELECT id, n FROM m

-- cte-007 nested
WITH outer_one AS (WITH inner_one AS (SELECT max(ret) AS m FROM crsp_daily) SELECT m * 2 AS n FROM inner_one) SELECT n FROM outer_one

-- cte-008 numbers
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 20) SELECT sum(n) FROM t

-- cte-009 months
WITH RECURSIVE months AS (SELECT DATE '2020-01-31' AS m UNION ALL SELECT last_day(m + INTERVAL 1 DAY) FROM months WHERE m < DATE '2020-12-01') SELECT m FROM months ORDER BY m

-- cte-010 Fibonacci
WITH RECURSIVE f(a, b) AS (SELECT 0, 1 UNION SELECT b, a + b FROM f WHERE b < 1000) SELECT a FROM f

-- cte-011 by key
WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 3 UNION SELECT a, b - 1 FROM t WHERE b > 0) SELECT * FROM t

-- cte-012 recursion over data
WITH RECURSIVE walk AS (SELECT permno, date, 1 AS depth FROM crsp_daily WHERE date = DATE '2020-01-06' UNION ALL SELECT c.permno, c.date, depth + 1 FROM walk w JOIN crsp_daily c ON c.permno = w.permno AND c.date = w.date + 1 WHERE depth < 3) SELECT permno, max(depth) FROM walk GROUP BY permno

-- cte-013 in a subquery
SELECT permno FROM crsp_names WHERE permno IN (WITH x AS (SELECT permno FROM crsp_daily WHERE ret > 0.03) SELECT permno FROM x)

-- cte-014 formation and holding
WITH past AS (SELECT permno, date, sum(ret) OVER (PARTITION BY permno ORDER BY date ROWS BETWEEN 6 PRECEDING AND 1 PRECEDING) AS momentum, ret FROM crsp_daily), sorted AS (SELECT *, ntile(2) OVER (PARTITION BY date ORDER BY momentum, permno) AS half FROM past WHERE momentum IS NOT NULL) SELECT date, avg(ret) FILTER (half = 2) - avg(ret) FILTER (half = 1) AS spread FROM sorted GROUP BY date ORDER BY date
