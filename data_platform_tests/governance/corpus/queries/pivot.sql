-- pivot-001 wide by security
PIVOT crsp_daily ON permno IN (10001, 10002) USING first(ret) GROUP BY date ORDER BY date

-- pivot-002 two figures
PIVOT crsp_daily ON permno IN (10001, 10003) USING avg(ret) AS mean, count(*) AS n GROUP BY ticker

-- pivot-003 of the standard
SELECT * FROM crsp_monthly PIVOT (max(ret) FOR permno IN (10001, 10002) GROUP BY date)

-- pivot-004 of a query
SELECT * FROM (PIVOT (SELECT year(date) AS y, permno, ret FROM crsp_daily) ON y IN (2020, 2021) USING sum(ret) GROUP BY permno)

-- pivot-005 long
UNPIVOT ff_factors_daily ON mktrf, smb, hml INTO NAME factor VALUE r

-- pivot-006 long, of the standard
SELECT * FROM ff_factors_daily UNPIVOT (r FOR factor IN (mktrf, smb))

-- pivot-007 long, NULL kept
SELECT permno, date, k, v FROM (SELECT permno, date, prc, ret FROM crsp_daily) UNPIVOT INCLUDE NULLS (v FOR k IN (prc, ret))

-- pivot-008 long by a choice of columns
UNPIVOT (SELECT date, mktrf, smb FROM ff_factors_daily) ON COLUMNS(* EXCLUDE date) INTO NAME k VALUE v

-- pivot-009 by hand
SELECT date, max(ret) FILTER (permno = 10001) AS a, max(CASE WHEN permno = 10002 THEN ret END) AS b FROM crsp_daily GROUP BY date
