-- date-001 parts
SELECT year(date), quarter(date), month(date), day(date), dayofweek(date), isoyear(date), weekofyear(date) FROM crsp_daily

-- date-002 extracted
SELECT extract(year FROM date), date_part('doy', date), extract('epoch' FROM date) FROM crsp_daily

-- date-003 truncated
SELECT date_trunc('month', date) AS m, count(*) FROM crsp_daily GROUP BY m

-- date-004 last day
SELECT DISTINCT last_day(date), monthname(date), dayname(date) FROM crsp_daily

-- date-005 intervals
SELECT date + INTERVAL 1 MONTH, date - INTERVAL '2 weeks', date + 5, date + to_days(3) FROM crsp_daily

-- date-006 differences
SELECT date_diff('day', DATE '2020-01-01', date), date_sub('month', DATE '2020-01-01', date), date - DATE '2020-01-01' FROM crsp_daily

-- date-007 formatted
SELECT strftime(date, '%Y-%m'), strptime('2020-03-04', '%Y-%m-%d'), try_strptime('x', '%Y') FROM crsp_daily

-- date-008 buckets
SELECT time_bucket(INTERVAL 1 WEEK, date) AS w, sum(vol) FROM crsp_daily GROUP BY w ORDER BY w

-- date-009 made
SELECT make_date(2020, 2, 29), make_timestamp(2020, 1, 1, 12, 30, 0.5), age(DATE '2021-01-01', DATE '2020-02-01')

-- date-010 a series of days
SELECT generate_series FROM generate_series(DATE '2020-01-01', DATE '2020-01-10', INTERVAL 3 DAYS)

-- date-011 zones
SELECT TIMESTAMPTZ '2020-01-01 12:00:00+00' AT TIME ZONE 'America/New_York', epoch_ms(TIMESTAMP '2020-01-01')

-- date-012 overlap
SELECT (DATE '2020-01-01', DATE '2020-02-01') = (DATE '2020-01-01', DATE '2020-02-01'), DATE '2020-01-31' BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'

-- date-013 month ends only
SELECT permno, max(date) FROM crsp_daily GROUP BY permno, year(date), month(date)
