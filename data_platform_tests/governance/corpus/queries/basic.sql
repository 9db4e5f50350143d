-- basic-001 everything
SELECT * FROM crsp_daily

-- basic-002 some columns of some rows
SELECT permno, date, ret FROM crsp_daily WHERE permno = 10001 AND date >= DATE '2021-01-01'

-- basic-003 NULL returns
SELECT permno, date FROM crsp_daily WHERE ret IS NULL

-- basic-004 rows with a price
SELECT permno, prc FROM crsp_daily WHERE prc IS NOT NULL AND abs(prc) > 50

-- basic-005 a list of securities
SELECT permno, ret FROM crsp_daily WHERE permno IN (10001, 10003)

-- basic-006 outside of a band
SELECT permno, ret FROM crsp_daily WHERE ret NOT BETWEEN -0.01 AND 0.01

-- basic-007 a pattern
SELECT DISTINCT ticker FROM crsp_daily WHERE ticker LIKE 'T%1'

-- basic-008 any case
SELECT DISTINCT ticker FROM crsp_daily WHERE ticker ILIKE 't1000_'

-- basic-009 a regular expression
SELECT DISTINCT ticker FROM crsp_daily WHERE regexp_matches(ticker, '[1-3]$')

-- basic-010 up and down days
SELECT permno, CASE WHEN ret > 0 THEN 'up' WHEN ret < 0 THEN 'down' ELSE 'flat' END AS direction FROM crsp_daily

-- basic-011 market value
SELECT permno, date, abs(prc) * shrout / 1000 AS market_value FROM crsp_daily ORDER BY permno, date

-- basic-012 the ten largest, without ties
SELECT permno, date, vol FROM crsp_daily ORDER BY vol DESC NULLS LAST, permno, date LIMIT 10

-- basic-013 a later page
SELECT permno, date FROM crsp_daily ORDER BY ALL LIMIT 10 OFFSET 20

-- basic-014 a part in percent
SELECT permno, date FROM crsp_daily ORDER BY permno, date LIMIT 10%

-- basic-015 distinct pairs
SELECT DISTINCT permno, ticker FROM crsp_daily

-- basic-016 the first day of each
SELECT DISTINCT ON (permno) permno, date, prc FROM crsp_daily ORDER BY permno, date

-- basic-017 differs, NULL included
SELECT permno, date FROM crsp_daily WHERE ret IS DISTINCT FROM 0

-- basic-018 same, NULL included
SELECT count(*) FROM crsp_daily WHERE ret IS NOT DISTINCT FROM NULL

-- basic-019 conditions put together
SELECT permno FROM crsp_daily WHERE (ret > 0.02 OR ret < -0.02) AND NOT (permno = 10002)

-- basic-020 a default for what is missing
SELECT permno, coalesce(ret, 0) AS ret, ifnull(vol, -1), nullif(shrout, 1000) FROM crsp_daily

-- basic-021 only numbers
SELECT 1 + 2 * 3, 7 // 2, 7 % 3, 2 ** 10, -5::BIGINT, 5!

-- basic-022 tuples compared
SELECT permno, date FROM crsp_daily WHERE (permno, date) > (10002, DATE '2020-06-01')

-- basic-023 casts
SELECT permno::VARCHAR, CAST(ret AS DECIMAL(10, 4)), TRY_CAST(ticker AS INTEGER) FROM crsp_daily

-- basic-024 aliases within the same SELECT
SELECT ret AS r, r * 100 AS percent FROM crsp_daily WHERE percent > 1

-- basic-025 order by position
SELECT ticker, date, permno FROM crsp_daily ORDER BY 3, 2

-- basic-026 order by an expression
SELECT permno, date FROM crsp_daily ORDER BY abs(coalesce(ret, 0)) DESC, permno, date

-- basic-027 comments are no harm
SELECT /* the id */ permno -- a note; DROP TABLE x
FROM crsp_daily

-- basic-028 upwards and downwards
SELECT permno, date FROM crsp_daily ORDER BY permno ASC, date DESC NULLS FIRST

-- basic-029 nothing instead of an error
SELECT TRY(ticker::INTEGER) FROM crsp_names
