"""SELECT statements drawn from a grammar over the made-up market; `expressions` draws what stands in them.

Whatever is drawn has one right answer: rows are cut only after `ORDER BY ALL`, and a window that depends on the order
of rows orders by every column that is there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from data_platform_tests.governance.corpus.expressions import (
    Kind,
    Scope,
    aggregate,
    any_expression,
    boolean,
    expression,
    window,
)

_TABLES: Final[dict[str, Scope]] = {
    "crsp_daily": Scope.of(number="permno prc ret vol shrout", day="date", text="ticker"),
    "crsp_monthly": Scope.of(number="permno ret", day="date"),
    "crsp_names": Scope.of(number="permno", day="start stop", text="ticker exchange"),
    "ff_factors_daily": Scope.of(number="mktrf smb hml rf", day="date"),
}
_JOINED: Final = (
    ("crsp_daily", "ff_factors_daily", "a.date = b.date"),
    ("crsp_daily", "crsp_monthly", "a.permno = b.permno AND a.date = b.date"),
    ("crsp_daily", "crsp_names", "a.permno = b.permno AND a.date BETWEEN b.start AND b.stop"),
    ("crsp_daily", "crsp_daily", "a.permno = b.permno AND b.date = a.date + 5"),
    ("crsp_monthly", "crsp_names", "a.permno = b.permno"),
    ("crsp_names", "crsp_names", "a.exchange <> b.exchange"),
)
_OUTER: Final = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
_ONE_SIDED: Final = ("SEMI JOIN", "ANTI JOIN")
_DEEPEST: Final = 2


@st.composite
def statements(draw: st.DrawFn) -> str:
    """One SELECT, often with common table expressions, set operations, an order and a limit."""
    body = draw(st.one_of(_query(_DEEPEST), _set_operation()))
    if draw(st.booleans()):
        body = f"{body} ORDER BY ALL{draw(st.sampled_from(['', ' DESC', ' NULLS LAST']))}"
        if draw(st.booleans()):
            body += f" LIMIT {draw(st.integers(0, 30))} OFFSET {draw(st.integers(0, 3))}"
    return body


@st.composite
def _set_operation(draw: st.DrawFn) -> str:
    kinds: list[Kind] = draw(st.lists(st.sampled_from(Kind), min_size=1, max_size=3))
    sides = [draw(_plain_select(kinds)) for _ in range(draw(st.integers(2, 3)))]
    words = st.sampled_from(
        ["UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL", "UNION BY NAME"]
    )
    text = sides[0]
    for side in sides[1:]:
        text = f"({text}) {draw(words)} ({side})"
    return text


@st.composite
def _plain_select(draw: st.DrawFn, kinds: list[Kind]) -> str:
    source, scope = draw(_source(0))
    columns = ", ".join(f"{draw(expression(scope, kind, 1))} AS c{i}" for i, kind in enumerate(kinds))
    return f"SELECT {columns} FROM {source}{draw(_where(scope))}"


@st.composite
def _query(draw: st.DrawFn, depth: int) -> str:
    with_clause = ""
    source, scope = draw(_source(depth))
    if depth and draw(st.integers(0, 2)) == 0:
        inner, inner_scope = draw(_named_query(depth - 1))
        kept = draw(st.sampled_from(["", "MATERIALIZED ", "NOT MATERIALIZED "]))
        with_clause, source, scope = f"WITH w AS {kept}({inner}) ", "w", inner_scope
    form = draw(st.sampled_from([_rows, _grouped, _windowed]))
    return with_clause + draw(form(source, scope))


@st.composite
def _rows(draw: st.DrawFn, source: str, scope: Scope) -> str:
    distinct = draw(st.sampled_from(["", "", "DISTINCT "]))
    columns = draw(st.lists(any_expression(scope, 2), min_size=1, max_size=4))
    star = draw(st.sampled_from(["", "", "*, ", "COLUMNS('t'), "])) if scope.text and not scope.qualified else ""
    return f"SELECT {distinct}{star}{_named(columns)} FROM {source}{draw(_where(scope))}"


@st.composite
def _grouped(draw: st.DrawFn, source: str, scope: Scope) -> str:
    keys = draw(st.lists(any_expression(scope, 1), max_size=2))
    columns = keys + draw(st.lists(aggregate(scope), min_size=1, max_size=3))
    text = f"SELECT {_named(columns)} FROM {source}{draw(_where(scope))}"
    if not keys:
        return text
    numbers = ", ".join(f"r{i}" for i in range(len(keys)))
    text += draw(
        st.sampled_from(
            [" GROUP BY ALL", f" GROUP BY {numbers}", f" GROUP BY ROLLUP ({numbers})", f" GROUP BY CUBE ({numbers})"]
        )
    )
    return text + (
        f" HAVING {draw(aggregate(scope, number=True))} > {draw(st.integers(-1, 50))}" if draw(st.booleans()) else ""
    )


@st.composite
def _windowed(draw: st.DrawFn, source: str, scope: Scope) -> str:
    windows = draw(st.lists(window(scope), min_size=1, max_size=2))
    text = f"SELECT {_named([draw(any_expression(scope, 1)), *windows])} FROM {source}{draw(_where(scope))}"
    if draw(st.booleans()):
        text += f" QUALIFY {draw(window(scope, number=True))} <= {draw(st.integers(1, 20))}"
    return text


def _named(columns: list[str], prefix: str = "r") -> str:
    return ", ".join(f"{column} AS {prefix}{i}" for i, column in enumerate(columns))


@st.composite
def _where(draw: st.DrawFn, scope: Scope) -> str:
    return f" WHERE {draw(boolean(scope, 2))}" if draw(st.booleans()) else ""


@st.composite
def _source(draw: st.DrawFn, depth: int) -> tuple[str, Scope]:
    """What stands after FROM, and the columns that it gives."""
    form = draw(st.sampled_from(["table", "table", "join", "one-sided", "subquery", "values", "lateral"]))
    if form == "join":
        left, right, condition = draw(st.sampled_from(_JOINED))
        scope = _TABLES[left].qualify("a").plus(_TABLES[right].qualify("b"))
        return f"{left} a {draw(st.sampled_from(_OUTER))} {right} b ON {condition}", scope
    if form == "one-sided":
        left, right, condition = draw(st.sampled_from(_JOINED))
        return f"{left} a {draw(st.sampled_from(_ONE_SIDED))} {right} b ON {condition}", _TABLES[left].qualify("a")
    if form == "lateral":
        inner = draw(aggregate(_TABLES["crsp_daily"].qualify("d"), number=True))
        scope = _TABLES["crsp_names"].qualify("a").plus(Scope.of(number="l.v"))
        return f"crsp_names a, LATERAL (SELECT {inner} AS v FROM crsp_daily d WHERE d.permno = a.permno) l", scope
    if form == "values":
        rows = ", ".join(f"({i}, 'v{i}', DATE '2020-01-{i + 1:02}')" for i in range(draw(st.integers(1, 4))))
        return f"(VALUES {rows}) v(n, s, d)", Scope.of(number="n", text="s", day="d")
    if form == "subquery" and depth:
        inner, scope = draw(_named_query(depth - 1))
        return f"({inner}) s", scope
    name = draw(st.sampled_from(sorted(_TABLES)))
    return name, _TABLES[name]


@st.composite
def _named_query(draw: st.DrawFn, depth: int) -> tuple[str, Scope]:
    """A query whose columns have known names and kinds."""
    source, scope = draw(_source(depth))
    kinds = [Kind.NUMBER, *draw(st.lists(st.sampled_from(Kind), max_size=2))]
    columns = [draw(expression(scope, kind, 1)) for kind in kinds]
    inner = Scope((), (), ())
    for number, kind in enumerate(kinds):
        inner = replace(inner, **{kind.value: (*inner.columns(kind), f"c{number}")})
    return f"SELECT {_named(columns, 'c')} FROM {source}{draw(_where(scope))}", inner
