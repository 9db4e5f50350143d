-- window-001 lagged
SELECT permno, date, ret, lag(ret) OVER (PARTITION BY permno ORDER BY date), lead(ret, 2, 0) OVER (PARTITION BY permno ORDER BY date) FROM crsp_daily

-- window-002 running total
SELECT permno, date, sum(vol) OVER (PARTITION BY permno ORDER BY date) FROM crsp_daily

-- window-003 moving average
SELECT permno, date, avg(ret) OVER (PARTITION BY permno ORDER BY date ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) FROM crsp_daily

-- window-004 a month back in days
SELECT permno, date, sum(ret) OVER (PARTITION BY permno ORDER BY date RANGE BETWEEN INTERVAL 30 DAYS PRECEDING AND CURRENT ROW) FROM crsp_daily

-- window-005 ranks
SELECT permno, date, rank() OVER (PARTITION BY date ORDER BY ret DESC), dense_rank() OVER (PARTITION BY date ORDER BY ret) FROM crsp_daily

-- window-006 deciles
SELECT permno, date, ntile(3) OVER (PARTITION BY date ORDER BY prc, permno) FROM crsp_daily

-- window-007 shares of ranks
SELECT permno, date, percent_rank() OVER w, cume_dist() OVER w FROM crsp_daily WINDOW w AS (PARTITION BY date ORDER BY ret)

-- window-008 best of each day
SELECT date, permno FROM crsp_daily QUALIFY row_number() OVER (PARTITION BY date ORDER BY ret DESC NULLS LAST, permno) = 1

-- window-009 best two by a named window
SELECT date, permno, row_number() OVER w AS place FROM crsp_daily WINDOW w AS (PARTITION BY date ORDER BY vol DESC, permno) QUALIFY place <= 2

-- window-010 filled forward
SELECT permno, date, last_value(ret IGNORE NULLS) OVER (PARTITION BY permno ORDER BY date ROWS UNBOUNDED PRECEDING) FROM crsp_daily

-- window-011 first and third
SELECT permno, date, first_value(prc) OVER w, nth_value(prc, 3) OVER w FROM crsp_daily WINDOW w AS (PARTITION BY permno ORDER BY date)

-- window-012 share of a day's volume
SELECT permno, date, vol / sum(vol) OVER (PARTITION BY date) FROM crsp_daily

-- window-013 without the row itself
SELECT permno, date, avg(ret) OVER (PARTITION BY date ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW) FROM crsp_daily WHERE ret IS NOT NULL

-- window-014 moving median
SELECT permno, date, median(ret) OVER (PARTITION BY permno ORDER BY date ROWS 9 PRECEDING) FROM crsp_daily

-- window-015 drawdown
SELECT permno, date, prc / max(prc) OVER (PARTITION BY permno ORDER BY date) - 1 AS drawdown FROM crsp_daily

-- window-016 gaps in days
SELECT permno, date, date - lag(date) OVER (PARTITION BY permno ORDER BY date) AS gap FROM crsp_daily

-- window-017 groups of equal values
SELECT permno, date, count(*) OVER (ORDER BY shrout GROUPS BETWEEN CURRENT ROW AND CURRENT ROW) FROM crsp_daily

-- window-018 windows over groups
SELECT permno, count(*) AS n, sum(count(*)) OVER (ORDER BY permno) FROM crsp_daily GROUP BY permno

-- window-019 filtered in a window
SELECT permno, date, count(*) FILTER (WHERE ret > 0) OVER (PARTITION BY permno ORDER BY date) FROM crsp_daily

-- window-020 moving beta
SELECT permno, date, regr_slope(ret, mktrf) OVER (PARTITION BY permno ORDER BY date ROWS 19 PRECEDING) FROM crsp_daily JOIN ff_factors_daily USING (date)

-- window-021 distinct in a window
SELECT permno, date, count(DISTINCT shrout) OVER (PARTITION BY permno) FROM crsp_daily

-- window-022 spells by differences of row numbers
SELECT permno, min(date), max(date), count(*) FROM (SELECT permno, date, ret > 0 AS up, row_number() OVER (PARTITION BY permno ORDER BY date) - row_number() OVER (PARTITION BY permno, ret > 0 ORDER BY date) AS spell FROM crsp_daily) GROUP BY permno, up, spell
