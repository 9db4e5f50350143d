"""What a statement's text tells of its result: whether it gives an order, and what may differ from run to run. Pure."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlglot.expressions.core import Expr

_LONGEST: Final = 16 * 1024
"""Characters of text that is parsed here, outside the engine's limits; a rendering can be longer than its query."""

_CHANGING: Final = frozenset(
    {
        "random", "rand", "setseed", "uuid", "gen_random_uuid", "uuidv4", "uuidv7", "now", "today", "current_date",
        "current_time", "current_timestamp", "get_current_timestamp", "get_current_time", "transaction_timestamp",
        "localtime", "localtimestamp", "currentdate", "currenttime", "currenttimestamp", "currentdatetime", "age",
        "ago", "current_localtime",
    }
)  # fmt: skip
"""Functions whose value is another at another time."""
_CHOOSING: Final = frozenset(
    {
        "any_value", "anyvalue", "arbitrary", "first", "first_value", "firstvalue", "last", "last_value", "lastvalue",
        "mode", "row_number", "rownumber", "lead", "lag", "ntile", "nth_value", "nthvalue", "list", "array_agg",
        "arrayagg", "string_agg", "stringagg", "group_concat", "groupconcat", "listagg", "arg_max", "argmax", "arg_min",
        "argmin", "max_by", "min_by", "approx_quantile", "approxquantile", "approx_count_distinct", "approxdistinct",
        "reservoir_quantile", "approx_top_k", "arg_max_null", "arg_min_null", "arg_max_nulls_last",
        "arg_min_nulls_last", "json_group_array", "json_group_object", "json_group_structure", "jsonobjectagg",
        "variant_group_object", "fill", "lttb",
    }
)  # fmt: skip
"""Functions whose value hangs on the order in which rows are met, when that is not given or leaves ties."""


def gives_order(sql: str) -> bool:
    """Whether the statement as a whole says in which order its rows come."""
    tree = _parsed(sql)
    return tree is not None and tree.args.get("order") is not None


def why_it_may_differ(sql: str) -> str | None:
    """Why two runs of the statement over the same rows may answer otherwise; None when nothing of it is known."""
    from sqlglot import expressions as exp  # noqa: PLC0415 - slow, and only replays need it

    tree = _parsed(sql)
    if tree is None:
        return "the statement could not be looked through"
    if tree.find(exp.TableSample) is not None:
        return "it takes a sample"
    names = {_name(node) for node in tree.find_all(exp.Func)}
    names |= {column.name.lower() for column in tree.find_all(exp.Column) if not column.table}
    if found := sorted(names & _CHANGING):
        return f"it asks for {found[0]}"
    if tree.find(exp.Limit) is not None or tree.find(exp.Fetch) is not None or tree.find(exp.Offset) is not None:
        return "its LIMIT may cut rows that no ORDER BY tells apart"
    if chosen := _pairing(tree):
        return chosen
    if found := sorted(names & _CHOOSING):
        return f"{found[0]} may hang on an order of rows that is not given"
    return None


def _pairing(tree: Expr) -> str | None:
    """What keeps any of several rows, or pairs rows as they are met."""
    from sqlglot import expressions as exp  # noqa: PLC0415 - as above

    if any(each.args.get("on") is not None for each in tree.find_all(exp.Distinct)):
        return "its DISTINCT ON may keep any of several rows"
    found = sorted({join.method for join in tree.find_all(exp.Join)} & {"ASOF", "POSITIONAL"})
    return f"its {found[0]} JOIN may pair other rows" if found else None


def _name(node: Expr) -> str:
    from sqlglot import expressions as exp  # noqa: PLC0415 - as above

    return node.name.lower() if isinstance(node, exp.Anonymous) else str(node.key).lower()


def _parsed(sql: str) -> Expr | None:
    if len(sql) > _LONGEST:
        return None
    import sqlglot  # noqa: PLC0415 - as above

    # It would log the text of statements that it does not know.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        return sqlglot.parse_one(sql, dialect="duckdb")
    except Exception:  # noqa: BLE001 - any text may be asked about, whatever it does to a parser
        return None
