"""Rules on their way through a sync: what breaks them is quarantined or published with a warning, and named."""

from __future__ import annotations

import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.catalog.rules import Severity
from data_platform.quality import CheckResult, Status, ValidationType
from data_platform.sync import SyncContext, SyncFailure, SyncOutcome, sync_partitions

DAILY, NAMES, DELISTINGS, ANNUAL = (
    find_table(name) for name in ("crsp_daily", "crsp_names", "crsp_delistings", "compustat_annual")
)


def _contract(result: object) -> CheckResult:
    assert isinstance(result, SyncOutcome | SyncFailure)
    return next(check for check in result.results if check.validation_type is ValidationType.CONTRACT)


@pytest.mark.parametrize(
    ("change", "column", "rule"),
    [
        ("dlyret = -66", "ret", "at least -1"),
        ("dlyprc = -dlyprc", "prc", "above 0"),
        ("shrout = -1", "shrout", "at least 0"),
    ],
)
def test_what_cannot_be_is_quarantined_and_named_by_its_key(
    context: SyncContext, wrds_owner: psycopg.Connection, change: str, column: str, rule: str
) -> None:
    (permno,) = wrds_owner.execute(
        "SELECT permno FROM crsp.dsf_v2 WHERE dlycaldt = '2023-07-05' AND dlyprc > 0 AND dlydelflg = 'N' ORDER BY 1"
    ).fetchone() or (0,)
    wrds_owner.execute(f"UPDATE crsp.dsf_v2 SET {change} WHERE dlycaldt = '2023-07-05' AND permno = {permno}")
    (result,) = sync_partitions(context, DAILY, ["2023"])
    errors = [finding for finding in _contract(result).findings if finding.severity is Severity.ERROR]

    assert isinstance(result, SyncFailure)
    assert [(f.column, f.rule, f.count, f.keys) for f in errors] == [
        (column, rule, 1, (f"permno {permno}, date 2023-07-05",))
    ]
    assert f"{column}: 1 row (below 0.1%) not {rule}, at permno {permno}, date 2023-07-05" in result.error.message
    assert "-66" not in result.error.message
    (entry,) = context.warehouse.quarantine.entries()
    assert any(rule in finding for finding in entry.findings)


def test_what_a_source_seldom_does_is_published_with_a_warning(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute("UPDATE crsp.dsf_v2 SET primaryexch = 'Z' WHERE dlydelflg = 'N'")
    (result,) = sync_partitions(context, DAILY, ["2023"])
    contract = _contract(result)

    assert isinstance(result, SyncOutcome)
    assert contract.status is Status.WARNING
    assert [finding.rule for finding in contract.findings] == ["one of N, A, Q, R, B, I, X"]
    assert contract.findings[0].share > 0.9
    (again,) = sync_partitions(context, DAILY, ["2023"])
    assert _contract(again).status is Status.WARNING


def test_delistings_are_compared_with_names_once_these_are_published(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    (alone,) = sync_partitions(context, DELISTINGS, ["all"])
    assert _contract(alone).status is Status.PASSED
    assert _contract(alone).message.startswith("not judged: delistingdt was not compared with crsp_names")

    list(sync_partitions(context, NAMES, ["all"]))
    (beside,) = sync_partitions(context, DELISTINGS, ["all"], full=True)
    assert (_contract(beside).status, _contract(beside).message) == (Status.PASSED, "")

    wrds_owner.execute(
        "UPDATE crsp.stkdelists SET delistingdt = '1930-01-02' WHERE permno = (SELECT min(permno) FROM crsp.stkdelists)"
    )
    (early,) = sync_partitions(context, DELISTINGS, ["all"])
    assert isinstance(early, SyncFailure)
    assert [f.rule for f in _contract(early).findings] == [
        "not before the first secinfostartdt of the same permno in crsp_names"
    ]


def test_a_figure_that_was_known_before_its_period_ended_is_a_warning(
    context: SyncContext, wrds_owner: psycopg.Connection
) -> None:
    wrds_owner.execute("UPDATE comp.fundq SET rdq = datadate - 1 WHERE rdq IS NOT NULL")
    (result,) = sync_partitions(context, ANNUAL, ["2023"])

    assert _contract(result).status is Status.WARNING
    assert [finding.rule for finding in _contract(result).findings] == ["datadate <= rdq"]
