"""Judging a staged file by its contract: its columns, its rows group by group, then what holds between rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from data_platform.catalog import Table
from data_platform.catalog.rules import IsFinite, NoOverlap, NotBefore, OnePerEntity, RowRule, Severity, columns_of
from data_platform.quality.blocks import blocks
from data_platform.quality.contracts.across import References, broken_rule, unjudged
from data_platform.quality.contracts.expressions import finite_rules, kept
from data_platform.quality.contracts.keys import key_columns, key_findings, key_texts
from data_platform.quality.contracts.schemas import columns_for, detail_of, failures, form_of, gate_of
from data_platform.quality.profile import Profile
from data_platform.quality.results import SHOWN_KEYS, Finding, worst_first

_REQUIRED: Final = "A required column has a value on every row."


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a contract found: `findings`, the worst first, and sentences about what it could not judge."""

    findings: tuple[Finding, ...]
    unjudged: tuple[str, ...] = ()


_Numbered = tuple[str, RowRule]


@dataclass(slots=True)
class _Broken:
    """How often a check has failed so far, and the first keys."""

    count: int = 0
    keys: list[str] = field(default_factory=list[str])


def judge_rows(
    path: Path,
    table: Table,
    profile: Profile,
    references: References,
    batches: Iterator[pl.DataFrame] | None = None,
) -> Judgement:
    """Judge a Parquet file, holding a few blocks of the columns that its rules need.

    `batches` are its rows in order, with `needed_columns` and maybe others, from whoever reads them for another reason
    too.

    A file with other columns or types than declared gets findings for these, and its rules are not judged.
    """
    form = judge_form(pl.DataFrame(schema=pl.read_parquet_schema(path)), table)
    if form:
        return Judgement(form, ("no rule was judged, as columns are not the declared ones",))
    scan, rows = pl.scan_parquet(path), batches or blocks(path, needed_columns(table))
    found = [*key_findings(scan, table, profile), *judge_batches(rows, table, profile.rows)]
    open_questions: list[str] = []
    for rule in table.rules:
        if not isinstance(rule, NoOverlap | OnePerEntity | NotBefore):
            continue
        why = unjudged(rule, references)
        if why is not None:
            open_questions.append(why)
        else:
            finding = broken_rule(rule, scan, table, rows=profile.rows, references=references)
            found.extend([finding] if finding else [])
    return Judgement(worst_first(tuple(found)), tuple(open_questions))


def judge_form(frame: pl.DataFrame, table: Table) -> tuple[Finding, ...]:
    """Findings about a frame's columns: missing ones, new ones, and those of another type (or another time zone)."""
    declared = {column.name: column.dtype for column in table.columns}
    # Asked to be strict, pandera names one undeclared column and is silent about others.
    wrong = [(name, "declared") for name in frame.columns if name not in declared]
    for failure in failures(form_of(table.columns), frame.clear()):
        missing = failure.check == "column_in_dataframe"
        wrong.append((failure.column, "there" if missing else f"of type {declared[failure.column]}"))
    reason = "The catalog declares the columns."
    return worst_first(tuple(Finding(name, rule, Severity.ERROR, 0, 0.0, (), reason) for name, rule in wrong))


def judge_batches(batches: Iterator[pl.DataFrame], table: Table, rows: int) -> tuple[Finding, ...]:
    """Findings about rows by themselves; `rows` is how many there are in all the batches together."""
    rules = _row_rules(table)
    broken: dict[str, _Broken] = {}
    needed = needed_columns(table)
    for given in batches:
        batch = given.select(needed)
        if any(True for _ in failures(gate_of(table.columns, rules), batch)):
            _tally(batch, table, rules, broken)
    found: list[Finding] = []
    for name, case in broken.items():
        keys, share = tuple(case.keys), case.count / rows
        if name.isdecimal():
            rule = rules[int(name)]
            found.append(Finding(rule.column, rule.words, rule.severity, case.count, share, keys, rule.reason))
        else:
            found.append(Finding(name, "there", Severity.ERROR, case.count, share, keys, _REQUIRED))
    return worst_first(tuple(found))


def _tally(batch: pl.DataFrame, table: Table, rules: tuple[RowRule, ...], broken: dict[str, _Broken]) -> None:
    """Count the rows that break a rule, under the rule's number, or miss a required value, under its column.

    A number that is not finite breaks that rule alone, and is taken for missing by the others.
    """
    numbered = tuple((str(number), rule) for number, rule in enumerate(rules))
    endless = _suspected(batch, tuple(each for each in numbered if isinstance(each[1], IsFinite)))
    finite = batch.with_columns(
        pl.when(pl.col(rule.column).is_finite()).then(pl.col(rule.column)).alias(rule.column) for _, rule in endless
    )
    others = _suspected(finite, tuple(each for each in numbered if not isinstance(each[1], IsFinite)))
    reports = [
        failures(detail_of(required, numbered), rows.select(columns_for(required, numbered)))
        for required, numbered, rows in (((), endless, batch), (table.columns, others, finite))
        if required or numbered
    ]
    for failure in itertools.chain.from_iterable(reports):
        if failure.broken is None:
            raise AssertionError("a check of rows says which rows failed it")
        case = broken.setdefault(failure.column if failure.check == "not_nullable" else failure.check, _Broken())
        case.count += int(failure.broken.sum())
        if len(case.keys) < SHOWN_KEYS:
            case.keys = [*case.keys, *key_texts(batch.filter(failure.broken), table)][:SHOWN_KEYS]


def _suspected(batch: pl.DataFrame, numbered: tuple[_Numbered, ...]) -> tuple[_Numbered, ...]:
    """Those of the rules that some row of the batch breaks, found in one query."""
    broken = batch.select((~kept(rule)).any().alias(number) for number, rule in numbered)
    return tuple(each for each in numbered if broken.get_column(each[0]).item())


def _row_rules(table: Table) -> tuple[RowRule, ...]:
    own = (rule for rule in table.rules if not isinstance(rule, NoOverlap | OnePerEntity | NotBefore))
    return (*finite_rules(table.columns), *own)


def needed_columns(table: Table) -> list[str]:
    """The columns that some row rule looks at, in the table's order."""
    wanted = {*key_columns(table), *(column.name for column in table.columns if not column.nullable)}
    for rule in _row_rules(table):
        wanted |= columns_of(rule)
    return [column.name for column in table.columns if column.name in wanted]
