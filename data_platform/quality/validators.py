"""The validators: row count, null shares, schema, dates, contract, checksum and anomalies, each a pure function.

Figures: 5 % tolerance against the source's own count, at most 10 % fewer rows than the previous version of the same
partition, at most 25 % fewer rows per session than the year before (the listed universe never shrank faster).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from data_platform.catalog import Partitioning, Table
from data_platform.catalog.drift import columns_of, compare
from data_platform.catalog.rules import Severity
from data_platform.quality.anomalies.anomaly import Anomaly
from data_platform.quality.anomalies.verdict import verdict_on
from data_platform.quality.calendars import TradingCalendar
from data_platform.quality.continuity import date_continuity
from data_platform.quality.contracts.keys import ORDERED, UNIQUE
from data_platform.quality.profile import Profile
from data_platform.quality.results import (
    CheckResult,
    FileFacts,
    Finding,
    Status,
    ValidationType,
    in_words,
    shown_share,
    worst_first,
)

ROW_COUNT_TOLERANCE: Final = 0.05
ROW_DROP: Final = 0.10
NEIGHBOUR_DROP: Final = 0.25
_LISTED: Final = 10
"""Columns named in a message at most."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the validators may look at.

    `registered` are the columns and types of the last published version; `source_rows` is the source's own count;
    `previous_rows` that of the partition's last published version;
    `neighbour_rows_per_session` that of the partition before this one. Each is None when unknown.

    `findings` are what the table's contract found on the rows, and `unjudged` sentences about what it could not judge.
    `reported` is what staging said of the file, `read_back` what the file says of itself. `anomalies` are what its
    statistics show; `anomalies_accepted` says that a person has looked at them and wants the partition all the same.
    """

    table: Table
    partition: str
    schema: pa.Schema
    profile: Profile
    calendar: TradingCalendar | None
    today: dt.date
    registered: Mapping[str, str] | None
    source_rows: int | None
    previous_rows: int | None
    neighbour_rows_per_session: float | None
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[str, ...] = ()
    reported: FileFacts | None = None
    read_back: FileFacts | None = None
    anomalies: tuple[Anomaly, ...] = ()
    anomalies_accepted: bool = False


def validate(evidence: Evidence) -> tuple[CheckResult, ...]:
    """Run every validator, in the order of `CHECKS`."""
    return tuple(check(evidence) for check in CHECKS.values())


def row_count(evidence: Evidence) -> CheckResult:
    """Judge the number of rows against zero, the source, the previous version and the partition before."""
    rows = evidence.profile.rows
    if rows == 0:
        return _result(ValidationType.ROW_COUNT, Status.FAILED, "at least 1", "0", "the source has no rows")
    source, previous = evidence.source_rows, evidence.previous_rows
    if source is not None and abs(rows - source) > ROW_COUNT_TOLERANCE * max(source, 1):
        message = f"{rows:,} rows arrived, the source counts {source:,}"
        return _result(ValidationType.ROW_COUNT, Status.FAILED, f"{source:,} ± 5 %", f"{rows:,}", message)
    if previous is not None and rows < (1 - ROW_DROP) * previous:
        message = f"{rows:,} rows are {1 - rows / previous:.0%} fewer than the {previous:,} of the last good version"
        return _result(
            ValidationType.ROW_COUNT, Status.FAILED, f"at least {(1 - ROW_DROP) * previous:,.0f}", f"{rows:,}", message
        )
    neighbour, sessions = evidence.neighbour_rows_per_session, len(evidence.profile.dates)
    if neighbour and sessions and rows / sessions < (1 - NEIGHBOUR_DROP) * neighbour:
        message = f"{rows / sessions:,.0f} rows per session; the partition before has {neighbour:,.0f}"
        expected = f"at least {(1 - NEIGHBOUR_DROP) * neighbour:,.0f} per session"
        return _result(ValidationType.ROW_COUNT, Status.FAILED, expected, f"{rows / sessions:,.0f}", message)
    expected = f"{source:,}" if source is not None else "at least 1"
    if source is not None and rows != source:
        message = f"{rows:,} rows arrived, the source counted {source:,} just before"
        return _result(ValidationType.ROW_COUNT, Status.WARNING, expected, f"{rows:,}", message)
    return _result(ValidationType.ROW_COUNT, Status.PASSED, expected, f"{rows:,}")


def null_pct(evidence: Evidence) -> CheckResult:
    """Judge each column's share of missing values against the catalog's limit for it.

    A finding names each column over its limit; which columns hold nothing at all is said in `actual` either way.
    """
    profile = evidence.profile
    if profile.rows == 0:
        return _result(ValidationType.NULL_PCT, Status.FAILED, "rows to judge", "none", "there are no rows")
    over: list[Finding] = []
    empty: list[str] = []
    for column in evidence.table.columns:
        limit = column.max_null_share if column.nullable else 0.0
        count = profile.null_counts.get(column.name, 0)
        empty.extend([column.name] if count == profile.rows else [])
        if count / profile.rows > limit:
            rule = f"missing in at most {limit:.0%}"
            reason = "The catalog allows so many." if column.nullable else "The column is required."
            over.append(Finding(column.name, rule, Severity.ERROR, count, count / profile.rows, (), reason))
    nothing = f"; nothing in {_listed(empty)}" if empty else ""
    if not over:
        return _result(ValidationType.NULL_PCT, Status.PASSED, "within the limits", f"within the limits{nothing}")
    findings = worst_first(tuple(over))
    shares = [f"{f.column} {shown_share(f.share)} (limit {f.rule.rpartition(' ')[2]})" for f in findings]
    message = f"too many missing values: {_listed(shares)}"
    return CheckResult(
        ValidationType.NULL_PCT,
        Status.FAILED,
        "within the limits",
        f"{len(over)} columns over{nothing}",
        message,
        findings,
    )


def schema(evidence: Evidence) -> CheckResult:
    """Judge the staged columns and types against the catalog's and against the last version's.

    New columns are a warning; a column that is gone or has another type would break readers and fails.
    """
    declared = columns_of(evidence.table.arrow_schema)
    actual = columns_of(evidence.schema)
    expected, found = f"{len(declared)} columns", f"{len(actual)} columns"
    if list(declared.items()) != list(actual.items()):
        wrong = sorted({name for name, _ in set(declared.items()) ^ set(actual.items())})
        message = f"columns differ from the catalog: {_listed(wrong) or 'their order'}"
        return _result(ValidationType.SCHEMA, Status.FAILED, expected, found, message)
    before = evidence.registered if evidence.registered is not None else actual
    drift = compare(before, actual)
    if drift.is_breaking:
        message = f"readers of the last version would break: {drift.breaks()}"
        return _result(ValidationType.SCHEMA, Status.FAILED, f"{len(before)} columns", found, message)
    if drift.has_additions:
        message = f"new columns since the last version: {', '.join(drift.added)}"
        return _result(ValidationType.SCHEMA, Status.WARNING, f"{len(before)} columns", found, message)
    return _result(ValidationType.SCHEMA, Status.PASSED, expected, found)


def contract(evidence: Evidence) -> CheckResult:
    """Judge the key (unique, and rows in its order, so that equal data always has equal bytes) and the rules.

    An error fails, warnings alone warn. A rule that could not be judged is said and changes nothing.
    """
    findings = worst_first(evidence.findings)
    key = ", ".join(evidence.table.key)
    problems = _key_problems(evidence.profile, key, findings)
    others = tuple(finding for finding in findings if finding.column != key or finding.rule not in {UNIQUE, ORDERED})
    said = [*problems, *filter(None, [in_words(others)])]
    said += [f"not judged: {why}" for why in evidence.unjudged]
    if problems or any(finding.severity is Severity.ERROR for finding in findings):
        status = Status.FAILED
    else:
        status = Status.WARNING if findings else Status.PASSED
    rules = len(evidence.table.rules)
    expected = f"unique ({key})" + (f", {rules} rules kept" if rules else "")
    actual = f"{len(problems) + len(others)} findings" if problems or others else expected
    return CheckResult(ValidationType.CONTRACT, status, expected, actual, " | ".join(said), findings)


def _key_problems(profile: Profile, key: str, findings: tuple[Finding, ...]) -> list[str]:
    problems: list[str] = []
    for count, rule, words in (
        (profile.duplicate_keys, UNIQUE, f"rows repeat the key ({key}) of the row before"),
        (profile.disorder, ORDERED, f"rows are out of the order of ({key})"),
    ):
        if count:
            keys = next((f.keys for f in findings if f.column == key and f.rule == rule), ())
            problems.append(f"{count:,} {words}" + (f", at {'; '.join(keys)}" if keys else ""))
    return problems


def checksum(evidence: Evidence) -> CheckResult:
    """Judge whether the staged file, read back, is the one that was written: its hash, its size, its rows."""
    written, found = evidence.reported, evidence.read_back
    if written is None or found is None:
        message = "no file was read back"
        return _result(ValidationType.CHECKSUM, Status.WARNING, "what was written", "unknown", message)
    differing = [
        name
        for name, before, after in (
            ("hash", written.sha256, found.sha256),
            ("size", written.bytes, found.bytes),
            ("number of rows", written.rows, found.rows),
        )
        if before != after
    ]
    if differing:
        message = f"the staged file does not hold what was written: another {', another '.join(differing)}"
        return _result(ValidationType.CHECKSUM, Status.FAILED, str(written), str(found), message)
    return _result(ValidationType.CHECKSUM, Status.PASSED, str(written), str(found))


def continuity(evidence: Evidence) -> CheckResult:
    """Judge the dates against the calendar, and each entity's rows against its own span."""
    table = evidence.table
    if table.date_column is None:
        return _result(ValidationType.DATE_CONTINUITY, Status.PASSED, "rows without dates", "rows without dates")
    bounds = table.partition_range(evidence.partition) if table.partitioning is Partitioning.YEAR else None
    return date_continuity(
        evidence.profile, evidence.calendar, bounds=bounds, first_date=table.first_date, today=evidence.today
    )


def anomaly(evidence: Evidence) -> CheckResult:
    """Judge what the statistics of the partition show, beside its history and within itself."""
    return verdict_on(evidence.anomalies, accepted=evidence.anomalies_accepted)


CHECKS: Final[Mapping[ValidationType, Callable[[Evidence], CheckResult]]] = {
    ValidationType.ROW_COUNT: row_count,
    ValidationType.NULL_PCT: null_pct,
    ValidationType.SCHEMA: schema,
    ValidationType.DATE_CONTINUITY: continuity,
    ValidationType.CONTRACT: contract,
    ValidationType.CHECKSUM: checksum,
    ValidationType.ANOMALY: anomaly,
}


def _listed(parts: list[str]) -> str:
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return ", ".join(parts[:_LISTED]) + more


def _result(kind: ValidationType, status: Status, expected: str, actual: str, message: str = "") -> CheckResult:
    return CheckResult(kind, status, expected, actual, message)
