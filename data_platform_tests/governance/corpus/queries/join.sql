-- join-001 with the factors
SELECT c.permno, c.date, c.ret - f.rf AS excess, f.mktrf FROM crsp_daily c JOIN ff_factors_daily f USING (date)

-- join-002 with a condition
SELECT c.permno, f.smb FROM crsp_daily c JOIN ff_factors_daily f ON c.date = f.date AND f.smb > 0

-- join-003 left
SELECT n.permno, n.exchange, c.ret FROM crsp_names n LEFT JOIN crsp_daily c ON n.permno = c.permno AND c.date = DATE '2020-01-06'

-- join-004 right
SELECT n.permno, c.prc FROM crsp_daily c RIGHT JOIN crsp_names n ON n.permno = c.permno AND c.prc > 95

-- join-005 full
SELECT coalesce(c.date, f.date), c.permno, f.rf FROM (FROM crsp_daily WHERE permno = 10001) c FULL JOIN ff_factors_daily f ON c.date = f.date

-- join-006 natural
SELECT date, permno, hml FROM crsp_daily NATURAL JOIN ff_factors_daily

-- join-007 cross
SELECT a.permno, b.permno FROM crsp_names a CROSS JOIN crsp_names b

-- join-008 pairs
SELECT a.permno, b.permno, corr(a.ret, b.ret) FROM crsp_daily a, crsp_daily b WHERE a.date = b.date AND a.permno < b.permno GROUP BY ALL

-- join-009 names valid on the day
SELECT c.permno, c.date, n.exchange FROM crsp_daily c JOIN crsp_names n ON c.permno = n.permno AND c.date BETWEEN n.start AND n.stop

-- join-010 as of the last known
SELECT c.permno, c.date, n.exchange FROM crsp_daily c ASOF JOIN crsp_names n ON c.permno = n.permno AND c.date >= n.start

-- join-011 as of, kept when unknown
SELECT c.permno, c.date, m.ret FROM crsp_daily c ASOF LEFT JOIN crsp_monthly m USING (permno, date)

-- join-012 semi
SELECT * FROM crsp_names n SEMI JOIN crsp_daily c ON n.permno = c.permno AND c.ret > 0.03

-- join-013 anti
SELECT * FROM crsp_daily ANTI JOIN crsp_monthly USING (permno, date)

-- join-014 by position
SELECT a.permno, b.rf FROM (SELECT permno FROM crsp_names ORDER BY ALL) a POSITIONAL JOIN (SELECT rf FROM ff_factors_daily ORDER BY date LIMIT 3) b

-- join-015 lateral
SELECT n.permno, best.date, best.ret FROM crsp_names n, LATERAL (SELECT date, ret FROM crsp_daily c WHERE c.permno = n.permno AND ret IS NOT NULL ORDER BY ret DESC, date LIMIT 2) best

-- join-016 three tables
SELECT n.exchange, avg(c.ret - f.rf) FROM crsp_daily c JOIN crsp_names n USING (permno) JOIN ff_factors_daily f USING (date) GROUP BY n.exchange

-- join-017 itself, a day later
SELECT a.permno, a.date, b.ret FROM crsp_daily a JOIN crsp_daily b ON a.permno = b.permno AND b.date = a.date + 1

-- join-018 an inequality
SELECT count(*) FROM crsp_monthly a JOIN crsp_monthly b ON a.ret < b.ret

-- join-019 with a subquery that counts
SELECT c.permno, k.n FROM crsp_names c JOIN (SELECT permno, count(*) AS n FROM crsp_daily GROUP BY permno) k ON c.permno = k.permno ORDER BY c.permno, k.n, c.exchange

-- join-020 with values
SELECT v.label, c.ret FROM crsp_daily c JOIN (VALUES (10001, 'one'), (10002, 'two')) v(permno, label) USING (permno)

-- join-021 with a calendar
SELECT d.range::DATE AS day, count(c.permno) FROM range(DATE '2020-01-01', DATE '2020-03-01', INTERVAL 1 DAY) d LEFT JOIN crsp_daily c ON c.date = d.range GROUP BY day
