-- aggregate-001 how many
SELECT count(*), count(ret), count(DISTINCT permno) FROM crsp_daily

-- aggregate-002 moments by security
SELECT permno, avg(ret), stddev_samp(ret), var_pop(ret), skewness(ret), kurtosis(ret) FROM crsp_daily GROUP BY permno

-- aggregate-003 volatile ones
SELECT permno, stddev(ret) AS sigma FROM crsp_daily GROUP BY permno HAVING count(ret) > 10 ORDER BY sigma DESC

-- aggregate-004 compounded
SELECT permno, product(1 + ret) - 1 AS total FROM crsp_daily GROUP BY permno

-- aggregate-005 compounded by logarithms
SELECT permno, exp(sum(ln(1 + ret))) - 1 FROM crsp_daily GROUP BY ALL

-- aggregate-006 quantiles
SELECT quantile_cont(ret, 0.05), quantile_disc(ret, [0.25, 0.75]), median(ret), mad(ret) FROM crsp_daily

-- aggregate-007 quantiles as the standard writes
SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY ret) FROM crsp_daily

-- aggregate-008 the day of the largest
SELECT permno, arg_max(date, ret), max_by(date, vol), min(ret), max(ret) FROM crsp_daily GROUP BY 1

-- aggregate-009 counted when
SELECT permno, count(*) FILTER (WHERE ret > 0) AS ups, avg(ret) FILTER (ret < 0) FROM crsp_daily GROUP BY permno

-- aggregate-010 counted if
SELECT countif(ret > 0), count_if(ret IS NULL), bool_or(ret > 0.04), bool_and(prc > 0) FROM crsp_daily

-- aggregate-011 by year and month
SELECT year(date) AS y, month(date) AS m, avg(ret) FROM crsp_daily GROUP BY y, m ORDER BY y, m

-- aggregate-012 subtotals
SELECT permno, year(date) AS y, sum(vol) FROM crsp_daily GROUP BY ROLLUP (permno, y)

-- aggregate-013 all subtotals
SELECT permno % 2 AS g, year(date) AS y, avg(ret) FROM crsp_daily GROUP BY CUBE (g, y)

-- aggregate-014 chosen subtotals
SELECT permno, ticker, sum(vol), grouping(permno, ticker) FROM crsp_daily GROUP BY GROUPING SETS ((permno), (ticker), ())

-- aggregate-015 regression
SELECT regr_slope(y.ret, x.ret), regr_intercept(y.ret, x.ret), regr_r2(y.ret, x.ret), regr_count(y.ret, x.ret) FROM crsp_daily y JOIN crsp_daily x USING (date) WHERE y.permno = 10001 AND x.permno = 10002

-- aggregate-016 betas
SELECT permno, regr_slope(ret - rf, mktrf) AS beta, corr(ret, mktrf), covar_samp(ret, mktrf) FROM crsp_daily JOIN ff_factors_daily USING (date) GROUP BY permno

-- aggregate-017 lists in order
SELECT permno, list(ret ORDER BY date) AS path FROM crsp_daily WHERE date < DATE '2020-01-20' GROUP BY permno

-- aggregate-018 text in order
SELECT string_agg(DISTINCT ticker, ', ' ORDER BY ticker) FROM crsp_daily

-- aggregate-019 a histogram
SELECT histogram(shrout) FROM crsp_daily

-- aggregate-020 the first and the last
SELECT permno, first(prc ORDER BY date), last(prc ORDER BY date) FROM crsp_daily GROUP BY permno

-- aggregate-021 bins
SELECT floor(ret * 100) AS bin, count(*) FROM crsp_daily GROUP BY bin ORDER BY bin NULLS LAST

-- aggregate-022 weighted
SELECT date, sum(ret * prc * shrout) / sum(prc * shrout) AS vwret FROM crsp_daily GROUP BY date ORDER BY date

-- aggregate-023 aggregates of aggregates
SELECT avg(n), max(n) FROM (SELECT permno, count(*) AS n FROM crsp_daily GROUP BY permno)

-- aggregate-024 most frequent
SELECT mode(shrout), entropy(shrout), approx_count_distinct(shrout) > 0 FROM crsp_daily

-- aggregate-025 bits
SELECT bit_and(shrout), bit_or(shrout), bit_xor(shrout) FROM crsp_daily

-- aggregate-026 any value of one
SELECT ticker, any_value(permno) FROM crsp_daily GROUP BY ticker

-- aggregate-027 standard error
SELECT permno, sem(ret), geomean(prc), fsum(ret), kahan_sum(ret) FROM crsp_daily GROUP BY permno ORDER BY permno

-- aggregate-028 the three largest
SELECT permno, max(ret, 3), min(ret, 2), arg_max(date, vol, 2) FROM crsp_daily GROUP BY permno

-- aggregate-029 HAVING with a subquery
SELECT permno FROM crsp_daily GROUP BY permno HAVING avg(ret) > (SELECT avg(ret) FROM crsp_daily)

-- aggregate-030 nothing in, one row out
SELECT sum(ret), count(*) FROM crsp_daily WHERE false
