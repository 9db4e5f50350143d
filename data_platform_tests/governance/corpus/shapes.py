"""Whether two statements are the same but for constants, aliases, file names and the spelling of columns."""

from __future__ import annotations

import json
import re
from typing import Any, Final, cast

import duckdb

_LEFT_OUT: Final = frozenset(
    {"alias", "query_location", "query_location_length", "literal", "column_name_alias", "named_param_map"}
)
_FILE: Final = re.compile(r"[/\\:{}]|\.\w+$")
_CONSTANTS: Final = frozenset({"string_const", "numeric_const"})


def shape(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement's tree without what does not count; for what DuckDB serialises no tree of, its tokens."""
    ((serialized,),) = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [sql]).fetchall()
    document = json.loads(serialized)
    if document["error"]:
        return _token_shape(sql)
    return json.dumps(_bare(document["statements"]), sort_keys=True)


def _bare(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(node, list):
        return [_bare(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    fields = cast("dict[str, Any]", node)
    bare = {key: _bare(value) for key, value in fields.items() if key not in _LEFT_OUT}
    if "column_names" in bare:
        bare["column_names"] = len(bare["column_names"])
    if _FILE.search(str(bare.get("table_name", ""))):
        bare["table_name"] = bare["qualified_name"] = "a file"
    return bare


def _token_shape(sql: str) -> str:
    raw = sql.encode()
    tokens = duckdb.tokenize(sql)
    ends = [start for start, _ in tokens[1:]] + [len(raw)]
    words: list[str] = []
    for (start, kind), end in zip(tokens, ends, strict=True):
        name = str(kind).rpartition(".")[2]
        word = "?" if name in _CONSTANTS else raw[start:end].decode(errors="replace").strip().lower()
        if name != "comment":
            words.append(word)
    return " ".join(words)
