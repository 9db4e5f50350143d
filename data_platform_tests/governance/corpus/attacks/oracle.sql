-- oracle-001 a foreign value in a failed cast
SELECT CAST(tic AS INTEGER) FROM compustat_annual

-- oracle-002 a foreign value in a failed cast of a subquery
SELECT (SELECT max(tic) FROM compustat_annual)::DATE

-- oracle-003 a permitted value in a failed cast
SELECT ticker::INTEGER FROM crsp_daily

-- oracle-004 a permitted value in a failed date
SELECT strptime(ticker, '%Y-%m-%d') FROM crsp_daily

-- oracle-005 a failed timestamp
SELECT ticker::TIMESTAMP FROM crsp_daily

-- oracle-006 a failed UUID
SELECT CAST(ticker AS UUID) FROM crsp_daily WHERE ret IS NOT NULL

-- oracle-007 a failed interval
SELECT CAST(ticker AS INTERVAL) FROM crsp_daily LIMIT 2

-- oracle-008 a failed boolean
SELECT ticker::BOOLEAN FROM crsp_daily ORDER BY 1

-- oracle-009 a failed decimal
SELECT sum(ticker::DECIMAL(4, 2)) FROM crsp_daily

-- oracle-010 a failed enum
SELECT ticker::ENUM ('a', 'b') FROM crsp_daily

-- oracle-011 a failed JSON
SELECT ticker::JSON FROM crsp_daily

-- oracle-012 a failed list
SELECT ticker::INTEGER[] FROM crsp_daily

-- oracle-013 a failed comparison
SELECT * FROM crsp_daily WHERE ticker = permno

-- oracle-014 a failed join
SELECT count(*) FROM crsp_daily a JOIN crsp_daily b ON a.ticker::BIGINT = b.permno

-- oracle-015 error() with a permitted value
SELECT error(ticker) FROM crsp_daily

-- oracle-016 error() with a foreign value
SELECT error(max(tic)) FROM compustat_annual

-- oracle-017 error() with a setting
SELECT error(getvariable('secret'))

-- oracle-018 error() in a branch
SELECT CASE WHEN ret IS NULL THEN error('SEKRIT' || ticker) END FROM crsp_daily

-- oracle-019 a regular expression made of a value
SELECT regexp_matches('a', ticker || '(') FROM crsp_daily

-- oracle-020 a bad part of a date made of a value
SELECT date_part(ticker, date) FROM crsp_daily

-- oracle-021 a bad unit of time made of a value
SELECT date_trunc(ticker, date) FROM crsp_daily

-- oracle-022 a bad zone made of a value
SELECT timezone(ticker, now()) FROM crsp_daily

-- oracle-023 a failed cast in an aggregate's order
SELECT list(ret ORDER BY ticker::INTEGER) FROM crsp_daily

-- oracle-024 a failed cast in a window
SELECT sum(ret) OVER (PARTITION BY ticker::INTEGER) FROM crsp_daily

-- oracle-025 a failed cast in QUALIFY
SELECT permno FROM crsp_daily QUALIFY max(ticker::DOUBLE) OVER () > 1

-- oracle-026 a failed cast in a lambda
SELECT list_transform([ticker], lambda x: x::INTEGER) FROM crsp_daily

-- oracle-027 a failed cast in LIMIT
SELECT 1 LIMIT (SELECT max(ticker)::BIGINT FROM crsp_daily)

-- oracle-028 a failed cast in a recursive query
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + (SELECT max(ticker)::INTEGER FROM crsp_daily) FROM r WHERE n < 3) FROM r

-- oracle-029 assert_true with a value
SELECT assert_true(false, ticker) FROM crsp_daily

-- oracle-030 a name that is nearly right tells of foreign names
SELECT * FROM compustat_annua

-- oracle-031 a column that is nearly right tells of foreign columns
SELECT secret_flag FROM compustat_annual
