-- nested-001 lambdas
SELECT list_transform([1, 2, 3], lambda x: x * 2), list_filter([1, 2, 3], lambda x: x > 1), list_reduce([1, 2, 3], lambda a, b: a + b)

-- nested-002 comprehension
SELECT [x * x FOR x IN range(5) IF x % 2 = 0]

-- nested-003 structs
SELECT {'permno': permno, 'ret': ret}.ret, struct_pack(a := permno).a FROM crsp_daily

-- nested-004 maps
SELECT MAP {'a': 1, 'b': 2}['a'], map_keys(MAP([1, 2], [3, 4])), map_entries(MAP {'k': 'v'})

-- nested-005 unnested
SELECT permno, unnest([prc, ret]) AS v FROM crsp_daily

-- nested-006 unnested in FROM
SELECT n.permno, u.x FROM crsp_names n, unnest([1, 2]) AS u(x)

-- nested-007 unnested structs
SELECT unnest({'a': permno, 'b': exchange}) FROM crsp_names

-- nested-008 slices
SELECT l[1], l[-1], l[2:3], l[:-2] FROM (SELECT list(ret ORDER BY date) AS l FROM crsp_daily GROUP BY permno)

-- nested-009 sorted and cut
SELECT list_sort(list(shrout), 'DESC')[1:5], list_distinct([1, 1, 2]), list_contains([1, 2], 2) FROM crsp_daily WHERE permno = 10001

-- nested-010 aggregates of lists
SELECT list_sum([1, 2]), list_avg([1.0, 2.0]), list_aggregate([1, 5], 'max'), list_median([3, 1, 2])

-- nested-011 zipped
SELECT list_zip([1, 2], ['a', 'b']), flatten([[1], [2, 3]])

-- nested-012 fixed arrays
SELECT array_value(1.0, 2.0, 3.0)::DOUBLE[3], array_cosine_similarity([1.0, 0.0]::DOUBLE[2], [1.0, 1.0]::DOUBLE[2])

-- nested-013 text to list
SELECT string_split(ticker, '0'), array_to_string(['a', 'b'], '-') FROM crsp_names

-- nested-014 JSON made and read
SELECT json_object('permno', permno, 'x', [1, 2]) AS j, j ->> '$.permno', json_extract(j, '$.x[1]') FROM crsp_names

-- nested-015 JSON taken apart
SELECT json_array_length('[1, 2]'), json_type('{"a": 1}'), from_json('{"a": 1}', '{"a": "INTEGER"}').a

-- nested-016 a row as JSON
SELECT to_json(n) FROM crsp_names n

-- nested-017 a list of structs
SELECT list({'d': date, 'r': ret} ORDER BY date)[1].r FROM crsp_daily GROUP BY permno

-- nested-018 nested lambdas
SELECT list_transform([[1, 2], [3]], lambda l: list_transform(l, lambda x: x + len(l)))

-- nested-019 generated subscripts
SELECT generate_subscripts([7, 8, 9], 1)

-- nested-020 union type
SELECT union_value(k := 1).k, union_tag(union_value(k := 1))::VARCHAR

-- nested-021 JSON taken apart into rows
SELECT n.permno, e.key, e.value FROM crsp_names n, json_each('{"a": 1, "b": [2]}') e

-- nested-022 JSON taken apart into a tree
SELECT fullkey, type, atom FROM json_tree('{"a": {"b": [1, 2]}}')

-- nested-023 values of an enum
SELECT enum_range(NULL::ENUM('low', 'high')), enum_first(NULL::ENUM('low', 'high')), 'low'::ENUM('low', 'high') < 'high'

-- nested-024 a row repeated
SELECT * FROM repeat('x', 3)

-- nested-025 JSON changed
SELECT json_set('{"a": 1}'::JSON, '$.b', '2'::JSON), json_remove('{"a": 1, "b": 2}', '$.a'), json_merge_patch('{"a": 1}', '{"a": 2}')
