-- lexer-001 capitals and small letters
sElEcT tIc FrOm CoMpUsTaT_AnNuAl

-- lexer-002 a comment instead of a space
SELECT/**/max(tic)/**/FROM/**/compustat_annual

-- lexer-003 a comment within a comment's end
SELECT tic /* -- */ FROM compustat_annual /* */ LIMIT 5 --*/

-- lexer-004 a line comment before the rest
SELECT min(tic) -- FROM crsp_daily
FROM compustat_annual

-- lexer-005 carriage return ends no comment for people who read
SELECT any_value(tic){U+000D}{U+000A}FROM{U+0009}compustat_annual

-- lexer-006 form feed and vertical tab
SELECT first(tic){U+000C}FROM{U+000B}compustat_annual

-- lexer-007 no-break space
SELECT last(tic){U+00A0}FROM{U+00A0}compustat_annual

-- lexer-008 other spaces
SELECT list(tic){U+2003}FROM{U+3000}compustat_annual

-- lexer-009 a word joiner before the name
SELECT tic, gvkey FROM{U+2060}compustat_annual

-- lexer-010 a zero-width space before the name
SELECT gvkey, tic, 1 FROM {U+200B}compustat_annual

-- lexer-011 a byte order mark
{U+FEFF}SELECT tic || 'x' FROM compustat_annual

-- lexer-012 quotes around everything
SELECT "compustat_annual"."tic" FROM "main"."compustat_annual"

-- lexer-013 dollar quotes
SELECT $$SEK$$ || $x$RIT$x$, tic FROM compustat_annual

-- lexer-014 an escape string
SELECT e'\x41' || tic FROM compustat_annual

-- lexer-015 a backslash before a quote
SELECT 'a\' || (SELECT max(tic) FROM compustat_annual) || 'b'

-- lexer-016 a doubled quote in a text
SELECT 'it''s; -- ', min(tic) FROM compustat_annual

-- lexer-017 comments between the parts of a name
SELECT max(atq) FROM main /* a */ . /* b */ compustat_annual

-- lexer-018 numbers that run into words
SELECT 1e0, tic FROM compustat_annual WHERE 1=1AND true

-- lexer-019 empty statements before
;;SELECT 9, tic FROM compustat_annual

-- lexer-020 a second statement after an empty one
SELECT 1;;SELECT tic FROM compustat_annual

-- lexer-021 a second statement behind a comment
SELECT 1;/* nothing */SELECT max(tic) FROM compustat_annual

-- lexer-022 a second statement behind a text with a quote
SELECT 'a'';'; SELECT min(tic) FROM compustat_annual

-- lexer-023 underscores in numbers
SELECT 1_000, tic, gvkey FROM compustat_annual

-- lexer-024 a keyword as a name
SELECT "select" FROM (SELECT tic AS "select" FROM compustat_annual)

-- lexer-025 a path with a zero-width character beside the real one
SELECT content FROM read_text(replace('{SPLIT_TXT}', '{U+200B}', ''))

-- lexer-026 the function's name in capitals and quotes
SELECT content FROM "READ_TEXT"('{TXT}')

-- lexer-027 the schema in mixed case
SELECT relname FROM PG_Catalog.Pg_Class

-- lexer-028 many parentheses
SELECT * FROM ((((((((((((((((((((SELECT tic FROM compustat_annual))))))))))))))))))))

-- lexer-029 a long text before
SELECT length('{x*9000}'), tic FROM compustat_annual

-- lexer-030 letters that look like others in an alias
SELECT с.tic FROM compustat_annual AS с
