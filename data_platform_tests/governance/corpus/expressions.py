"""Expressions of a known kind over the columns of a scope, drawn for `grammar`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from hypothesis import strategies as st


class Kind(StrEnum):
    """What an expression gives."""

    NUMBER = "number"
    TEXT = "text"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that can be named, by what they hold."""

    number: tuple[str, ...]
    text: tuple[str, ...]
    day: tuple[str, ...]
    qualified: bool = False

    @classmethod
    def of(cls, *, number: str = "", text: str = "", day: str = "") -> Self:
        """From names with spaces between them."""
        return cls(tuple(number.split()), tuple(text.split()), tuple(day.split()))

    def qualify(self, alias: str) -> Scope:
        """The same columns, named with their table's alias."""
        return Scope(*(tuple(f"{alias}.{name}" for name in self.columns(kind)) for kind in Kind), qualified=True)

    def plus(self, other: Scope) -> Scope:
        """The columns of both."""
        return Scope(*(self.columns(kind) + other.columns(kind) for kind in Kind), qualified=True)

    def columns(self, kind: Kind) -> tuple[str, ...]:
        """The columns of a kind."""
        return {Kind.NUMBER: self.number, Kind.TEXT: self.text, Kind.DAY: self.day}[kind]

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Every column."""
        return self.number + self.text + self.day


_NUMBERS: Final = (
    *("({a} + {b})", "({a} - {b})", "({a} * {b})", "{a} / nullif({b}, 0)", "abs({a})", "round({a}, 2)", "-({a})"),
    *("coalesce({a}, {b})", "greatest({a}, {b})", "nullif({a}, {b})", "CASE WHEN {p} THEN {a} ELSE {b} END"),
    *("length({t})", "year({d})", "date_diff('day', {d}, DATE '2021-01-01')", "TRY_CAST({t} AS INTEGER)", "sign({a})"),
    *("CAST({a} AS DOUBLE)", "list_sum([{a}, {b}])", "list_transform([{a}, {b}], lambda x: x + 1)[1]", "floor({a})"),
    *("{{'k': {a}}}.k", "MAP {{'k': {a}}}['k']", "if({p}, {a}, {b})", "ln(abs({a}) + 1)", "({a} IN ({b}, 1))::INTEGER"),
    *("(SELECT max(q.ret) FROM crsp_monthly q WHERE q.ret < {a})", "(SELECT count(*) FROM crsp_names)", "{a} % 7"),
)
_TEXTS: Final = (
    *("upper({t})", "substring({t}, 1, 3)", "{t} || '-x'", "concat({t}, {u})", "CASE WHEN {p} THEN {t} ELSE {u} END"),
    *("coalesce({t}, 'none')", "replace({t}, '0', 'o')", "strftime({d}, '%Y-%m')", "regexp_extract({t}, '[0-9]+')"),
    *(
        "lower({t})",
        "reverse({t})",
        "monthname({d})",
        "array_to_string([{t}, {u}], '/')",
        "{t}[1:2]",
        "lpad({t}, 8, '.')",
    ),
    *(
        "split_part({t}, '0', 1)",
        "json_object('k', {t}) ->> '$.k'",
        "typeof({a})",
        "(SELECT min(q.ticker) FROM crsp_names q)",
    ),
)
_DAYS: Final = (
    *("({d} + 3)", "date_trunc('month', {d})::DATE", "last_day({d})", "({d} - INTERVAL 1 MONTH)::DATE"),
    *("coalesce({d}, {e})", "least({d}, {e})", "CASE WHEN {p} THEN {d} ELSE {e} END", "make_date(year({d}), 1, 1)"),
)
_BOOLEANS: Final = (
    *(
        "{a} > {b}",
        "{a} <= {b}",
        "{a} IS NULL",
        "{a} IS DISTINCT FROM {b}",
        "{a} BETWEEN {b} AND 100",
        "{a} IN (1, 2, {b})",
    ),
    *(
        "{t} LIKE '%1%'",
        "{t} = {u}",
        "{t} ILIKE 't%'",
        "regexp_matches({t}, '[13]$')",
        "{d} >= {e}",
        "{d} <> DATE '2020-06-01'",
    ),
    *("({p} AND {q})", "({p} OR {q})", "NOT ({p})", "EXISTS (SELECT 1 FROM crsp_names x WHERE x.permno > {a})"),
    *(
        "{a} IN (SELECT x.permno FROM crsp_names x)",
        "{d} NOT IN (SELECT x.date FROM crsp_monthly x)",
        "starts_with({t}, 'T')",
    ),
    *(
        "{a} > ALL (SELECT x.rf FROM ff_factors_daily x)",
        "{a} = ANY (SELECT x.permno FROM crsp_names x)",
        "{t} SIMILAR TO 'T.*'",
    ),
)
_AGGREGATES: Final = (
    *("sum({a})", "avg({a})", "min({a})", "max({a})", "count({a})", "count(*)", "stddev({a})", "median({a})"),
    *(
        "count(DISTINCT {a})",
        "quantile_cont({a}, 0.25)",
        "sum({a}) FILTER (WHERE {p})",
        "count_if({p})",
        "var_pop({a})",
    ),
    *("corr({a}, {b})", "regr_slope({a}, {b})", "max({a}) - min({a})", "sum(DISTINCT {a})", "avg({a}) FILTER ({p})"),
)
_OTHER_AGGREGATES: Final = (
    *("min({t})", "max({d})", "list({t} ORDER BY {t})", "string_agg(DISTINCT {t}, ',' ORDER BY {t})", "histogram({t})"),
    *("bool_or({p})", "list_sort(list(DISTINCT {d}))"),
)
_WINDOWS: Final = (
    *(
        "row_number() OVER ({P} ORDER BY {ALL})",
        "rank() OVER ({P} ORDER BY {a})",
        "dense_rank() OVER (ORDER BY {a} DESC)",
    ),
    *(
        "sum({a}) OVER ({P} ORDER BY {b})",
        "avg({a}) OVER ({P})",
        "count(*) OVER ({P} ORDER BY {d})",
        "cume_dist() OVER (ORDER BY {a})",
    ),
    *(
        "lag({a}) OVER ({P} ORDER BY {ALL})",
        "min({a}) OVER ({P} ORDER BY {ALL} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
    ),
    *(
        "first_value({a}) OVER ({P} ORDER BY {ALL})",
        "max({a}) OVER ({P} ORDER BY {d} RANGE BETWEEN INTERVAL 20 DAYS PRECEDING AND CURRENT ROW)",
    ),
    *(
        "ntile(3) OVER ({P} ORDER BY {ALL})",
        "count({a}) FILTER (WHERE {p}) OVER ({P})",
        "percent_rank() OVER ({P} ORDER BY {a})",
    ),
)
_LITERALS: Final = {
    Kind.NUMBER: ("0", "1", "2.5", "-0.01", "1e3", "NULL", "10001", "42::BIGINT"),
    Kind.TEXT: ("'T10001'", "''", "'it''s'", "'é☕'", "NULL::VARCHAR", "$$x;y$$"),
    Kind.DAY: ("DATE '2020-06-01'", "'2020-03-31'::DATE", "NULL::DATE", "make_date(2021, 1, 4)"),
}
_BY_KIND: Final = {Kind.NUMBER: _NUMBERS, Kind.TEXT: _TEXTS, Kind.DAY: _DAYS}


@st.composite
def expression(draw: st.DrawFn, scope: Scope, kind: Kind, depth: int) -> str:
    """One of the kind asked for: a column more often than not, a literal, or something made of others."""
    leaves = scope.columns(kind)
    if depth and draw(st.booleans()):
        return _made_of(draw, draw(st.sampled_from(_BY_KIND[kind])), scope, depth - 1)
    return draw(st.sampled_from((*leaves * 3, *_LITERALS[kind])))


def any_expression(scope: Scope, depth: int) -> st.SearchStrategy[str]:
    """One of any kind."""
    return st.sampled_from(Kind).flatmap(lambda kind: expression(scope, kind, depth))


@st.composite
def boolean(draw: st.DrawFn, scope: Scope, depth: int) -> str:
    """A condition."""
    return _made_of(draw, draw(st.sampled_from(_BOOLEANS)), scope, max(depth - 1, 0))


@st.composite
def aggregate(draw: st.DrawFn, scope: Scope, *, number: bool = False) -> str:
    """An aggregate over the scope; of numbers only, when a number is asked for."""
    choice = _AGGREGATES if number else _AGGREGATES + _OTHER_AGGREGATES
    return _made_of(draw, draw(st.sampled_from(choice)), scope, 1)


@st.composite
def window(draw: st.DrawFn, scope: Scope, *, number: bool = False) -> str:
    """A window function over the scope; one that counts rows, when a number is asked for."""
    choice = _WINDOWS[:3] if number else _WINDOWS
    return _made_of(draw, draw(st.sampled_from(choice)), scope, 1)


def _made_of(draw: st.DrawFn, form: str, scope: Scope, depth: int) -> str:
    """Fill a form: a, b numbers; t, u texts; d, e days; p, q conditions; P a partition; ALL every column."""
    parts = {"ALL": ", ".join(scope.all_columns)}
    for letters, kind in (("ab", Kind.NUMBER), ("tu", Kind.TEXT), ("de", Kind.DAY)):
        parts |= {letter: draw(expression(scope, kind, depth)) for letter in letters if f"{{{letter}}}" in form}
    parts |= {
        letter: draw(boolean(scope, depth)) if depth else f"{draw(expression(scope, Kind.NUMBER, 0))} > 0"
        for letter in "pq"
        if f"{{{letter}}}" in form
    }
    if "{P}" in form:
        keys = scope.text + scope.day
        parts["P"] = f"PARTITION BY {draw(st.sampled_from(keys))}" if keys and draw(st.booleans()) else ""
    return form.format(**parts)
