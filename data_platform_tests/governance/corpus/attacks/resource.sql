-- resource-001 counts a trillion numbers
SELECT count(*) FROM range(1000000000000) t(x) WHERE x % 7 = 3

-- resource-002 sums a series
SELECT sum(x * x) FROM generate_series(1, 1000000000000) t(x)

-- resource-003 the same table five times
SELECT count(*) FROM crsp_daily a, crsp_daily b, crsp_daily c, crsp_daily d, crsp_daily e, crsp_daily f, crsp_daily g WHERE hash(a.prc + b.prc + c.prc + d.prc + e.prc + f.prc + g.prc) = 7

-- resource-004 sorts a cross join
SELECT a.permno FROM crsp_daily a CROSS JOIN crsp_daily b CROSS JOIN crsp_daily c, crsp_daily d, crsp_daily e, crsp_daily f ORDER BY a.ret + b.ret + c.ret

-- resource-005 groups a cross join
SELECT a.x + b.x, count(*) FROM range(100000) a(x), range(100000) b(x) GROUP BY 1

-- resource-006 recursion without an end
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r

-- resource-007 recursion that doubles
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, range(2)) SELECT max(n) FROM r

-- resource-008 recursion with a text that grows
WITH RECURSIVE r AS (SELECT 'x' AS s UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r

-- resource-009 recursion by key
WITH RECURSIVE r(k, n) USING KEY (k) AS (SELECT 1, 1 UNION SELECT k, n + 1 FROM r) SELECT * FROM r

-- resource-010 a text of ten billion letters
SELECT length(repeat(repeat('x', 60000), 60000))

-- resource-011 padded to gigabytes
SELECT length(lpad('x', 2000000000, 'y')) + length(rpad('x', 2000000000, 'z'))

-- resource-012 a list of a billion numbers
SELECT length(range(1000000000))

-- resource-013 a list of lists
SELECT len(list_transform(range(100000), lambda x: range(100000)))

-- resource-014 a list sorted
SELECT list_sort(list_transform(range(50000000), lambda x: hash(x)))[1]

-- resource-015 a list made flat
SELECT len(flatten([range(60000000), range(60000000)]))

-- resource-016 a product of lists
SELECT count(*) FROM (SELECT unnest(range(10000000)) AS a) p, (SELECT unnest(range(100000)) AS b) q WHERE a * b = 7

-- resource-017 all values in one list
SELECT len(list(x)) FROM range(400000000) t(x)

-- resource-018 all values in one text
SELECT length(string_agg(x::VARCHAR || 'xxxxxxxxxxxxxxxx', ',')) FROM range(200000000) t(x)

-- resource-019 distinct values without end
SELECT count(DISTINCT hash(x)) FROM range(2000000000) t(x)

-- resource-020 a histogram of everything
SELECT histogram(x) FROM range(100000000) t(x)

-- resource-021 every quantile exactly
SELECT quantile_cont(x, 0.5) FROM range(2000000000) t(x)

-- resource-022 the most frequent of a billion
SELECT mode(hash(x)) FROM range(1000000000) t(x)

-- resource-023 a window over a billion
SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY hash(x)) AS r FROM range(1000000000) t(x))

-- resource-024 a moving median
SELECT max(m) FROM (SELECT median(x) OVER (ORDER BY hash(x) ROWS 500000 PRECEDING) AS m FROM range(30000000) t(x))

-- resource-025 an ASOF join of millions
SELECT count(*) FROM range(100000000) a(x) ASOF JOIN range(100000000) b(y) ON hash(x) >= hash(y)

-- resource-026 a join on an inequality
SELECT count(*) FROM range(10000000) a(x) JOIN range(10000000) b(y) ON hash(x) < hash(y) AND x % 1000 <> y % 999

-- resource-027 a subquery for each row
SELECT count(*) FROM range(1000000) a(x) WHERE (SELECT count(*) FROM range(1000000) b(y) WHERE b.y % 97 < a.x % 89) = 3

-- resource-028 edit distance of long texts
SELECT levenshtein(repeat('ab', 1000000), repeat('ba', 1000000))

-- resource-029 another distance
SELECT damerau_levenshtein(repeat('ab', 60000), repeat('ba', 60000))

-- resource-030 one more similarity
SELECT jaccard(repeat(x::VARCHAR, 10000), repeat('ba', 10000)) FROM range(10000000) t(x) ORDER BY 1

-- resource-031 similarity of long texts
SELECT jaro_similarity(repeat('ab', 300000), repeat('ba', 300000))

-- resource-032 a regular expression on long texts, often
SELECT count(*) FROM range(100000000) t(x) WHERE regexp_matches(repeat(x::VARCHAR, 200), '(a|b|[0-9]+x)*y$')

-- resource-033 texts split and joined
SELECT sum(len(string_split(repeat(x::VARCHAR || ',', 10000), ','))) FROM range(100000000) t(x)

-- resource-034 hashes without end
SELECT max(sha256(x::VARCHAR)) FROM range(10000000000) t(x)

-- resource-035 factorials of everything
SELECT max(factorial((x % 33)::INTEGER)) FROM range(10000000000) t(x)

-- resource-036 powers of a cube
SELECT a, b, c, count(*) FROM (SELECT x % 7919 AS a, x % 7907 AS b, x % 7901 AS c FROM range(100000000) t(x)) GROUP BY CUBE (a, b, c)

-- resource-037 intersects billions
SELECT count(*) FROM (SELECT x FROM range(1000000000) t(x) INTERSECT SELECT hash(x) FROM range(1000000000) u(x))

-- resource-038 JSON of everything
SELECT length(json_group_array(x)) FROM range(300000000) t(x)

-- resource-039 a map with millions of keys
SELECT map_from_entries(list({'k': x, 'v': x})) FROM range(200000000) t(x)

-- resource-040 a correlated list for each row
SELECT sum((SELECT sum(y) FROM unnest(range(x)) u(y))) FROM range(10000000) t(x)

-- resource-041 a chain of definitions that doubles each time
WITH a AS (FROM range(1000)), b AS (SELECT a.range FROM a, a c), d AS (SELECT b.range FROM b, b e) SELECT sum(d.range % 3) FROM d, d f

-- resource-042 months between far dates
SELECT count(*) FROM generate_series(TIMESTAMP '0001-01-01', TIMESTAMP '9999-01-01', INTERVAL 1 SECOND) t(d) WHERE dayname(d) = 'x'

-- resource-043 a huge sample
SELECT max(range) FROM range(100000000000) USING SAMPLE 99%

-- resource-044 reverse of reverse of a gigabyte
SELECT reverse(reverse(repeat('xyz', 1400000000)))

-- resource-045 base64 of gigabytes
SELECT length(base64(repeat('x', 1000000000)::BLOB))

-- resource-046 hexadecimal of gigabytes
SELECT length(hex(repeat('x', 2000000000)))

-- resource-047 text that is printed wide
SELECT length(printf('%2000000000d', 1))

-- resource-048 formatted wide
SELECT length(format('{:>2000000000}', 'x'))

-- resource-049 replaced by something longer
SELECT length(replace(repeat('x', 100000), 'x', repeat('y', 100000)))

-- resource-050 put together by a separator
SELECT length(array_to_string(range(100000), repeat('y', 100000)))

-- resource-051 translated by a regular expression
SELECT length(regexp_replace(repeat('x', 200000), 'x', repeat('y', 100000), 'g'))

-- resource-052 a list resized
SELECT len(list_resize([1], 1000000000, 7))

-- resource-053 a bit string
SELECT bit_count(bitstring('1', 2000000000))

-- resource-054 a thousand windows
SELECT sum(x) OVER (PARTITION BY x % 3 ORDER BY hash(x) RANGE BETWEEN 5 PRECEDING AND CURRENT ROW) AS s FROM range(500000000) t(x) ORDER BY s

-- resource-055 a pivot of millions
SELECT * FROM (SELECT x % 1000003 AS g, x % 3 AS k, x FROM range(500000000) t(x)) PIVOT (sum(x) FOR k IN (0, 1, 2) GROUP BY g) ORDER BY g

-- resource-056 takes a worker for seconds
SELECT sleep_ms(3000)

-- resource-057 the same in Postgres' name
SELECT pg_sleep(3)
