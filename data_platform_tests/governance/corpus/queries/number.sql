-- number-001 rounded
SELECT round(ret, 3), ceil(prc), floor(prc), trunc(prc), sign(ret), round_even(2.5, 0) FROM crsp_daily

-- number-002 logs and powers
SELECT ln(prc), log10(prc), log2(prc), exp(ret), sqrt(prc), cbrt(prc), pow(prc, 2) FROM crsp_daily

-- number-003 winsorised
SELECT permno, greatest(least(ret, 0.02), -0.02) AS w FROM crsp_daily WHERE ret IS NOT NULL

-- number-004 bits and divisors
SELECT gcd(12, 18), lcm(4, 6), bit_count(7), 5 & 3, 5 | 3, xor(5, 3), 1 << 4, ~5

-- number-005 trigonometry
SELECT sin(1), cos(1), tan(1), atan2(1, 2), radians(180), degrees(pi())

-- number-006 not a number
SELECT isnan('nan'::DOUBLE), isinf('inf'::DOUBLE), isfinite(1.0), 'nan'::DOUBLE

-- number-007 division by nothing
SELECT 1 / 0, 0.0 / 0, TRY(1 // 0)

-- number-008 large numbers
SELECT 170141183460469231731687303715884105727::HUGEINT, 18446744073709551615::UBIGINT, 1e300 * 1e10

-- number-009 decimals
SELECT 1.10::DECIMAL(10, 2) + 2.205::DECIMAL(10, 3), 0.1 + 0.2 = 0.3, 10.5 // 3

-- number-010 other bases
SELECT bin(10), hex(255), to_base(255, 16), even(3.2), factorial(5), gamma(5.5), lgamma(5.5), nextafter(1.0, 2.0) > 1

-- number-011 z-scores
SELECT permno, date, (ret - avg(ret) OVER p) / nullif(stddev(ret) OVER p, 0) FROM crsp_daily WINDOW p AS (PARTITION BY date)

-- number-012 standardised by a join
SELECT c.permno, (c.ret - s.m) / s.sd FROM crsp_daily c, (SELECT avg(ret) AS m, stddev_pop(ret) AS sd FROM crsp_daily) s
