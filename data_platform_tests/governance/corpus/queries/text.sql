-- text-001 joined and cut
SELECT ticker || '-' || permno, concat(ticker, NULL, 1), concat_ws('/', ticker, permno), left(ticker, 2), right(ticker, 2), substring(ticker, 2, 3), ticker[1:2] FROM crsp_names

-- text-002 cases and spaces
SELECT upper(ticker), lower(ticker), trim('  a '), lpad(ticker, 8, '0'), rpad(ticker, 8, '.'), reverse(ticker), length(ticker) FROM crsp_names

-- text-003 found
SELECT position('0' IN ticker), strpos(ticker, '1'), contains(ticker, '000'), starts_with(ticker, 'T'), ticker ^@ 'T' FROM crsp_names

-- text-004 regular expressions
SELECT regexp_extract(ticker, '(\d+)', 1), regexp_replace(ticker, '0+', 'o'), regexp_extract_all(ticker, '\d'), regexp_full_match(ticker, 'T\d+'), ticker SIMILAR TO 'T.*' FROM crsp_names

-- text-005 formatted
SELECT format('{:.2f}', 1.005), printf('%05d', permno), format('{:,}', 1234567) FROM crsp_names

-- text-006 alike
SELECT levenshtein(ticker, 'T10001'), jaro_winkler_similarity(ticker, 'T10002'), hamming('ab', 'ac') FROM crsp_names

-- text-007 digests
SELECT md5(ticker), sha256(ticker), hash(ticker) IS NOT NULL, base64(encode(ticker)) FROM crsp_names

-- text-008 unicode
SELECT 'café ☕ 株', length('株'), strlen('株'), unicode('é'), chr(9731), strip_accents('é'), nfc_normalize('é')

-- text-009 parts
SELECT split_part(exchange || '.' || ticker, '.', 2), translate(ticker, 'T', 'X'), replace(ticker, '1', '2'), overlay(ticker PLACING 'ZZ' FROM 1 FOR 1) FROM crsp_names

-- text-010 collated
SELECT ticker FROM crsp_names ORDER BY ticker COLLATE NOCASE, permno, exchange

-- text-011 text that looks like an attack
SELECT 'DROP TABLE x; SELECT 1' AS note, '/etc/passwd' AS path, 'read_csv(''x'')' AS f
