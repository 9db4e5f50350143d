"""What is kept of each version, what is covered, and the trends over both: right, and only of one's datasets."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest

from data_platform.errors import NotPermittedError
from data_platform.records import alerts, coverage, partition_statistics, quality_trends, validations
from data_platform.records.alerts import Alert
from data_platform.records.connection import Connection, Records
from data_platform.records.coverage import PartitionCoverage
from data_platform.records.partition_statistics import PartitionStatistics
from data_platform.records.scope import Scope
from data_platform.records.validations import Status, Validation

SYSTEM = Scope.system("test")
ANN = Scope("ann", frozenset({"crsp"}))
EVE = Scope("eve", frozenset({"fama_french"}))
TODAY = dt.datetime.now(dt.UTC).date()
LONG_AGO = TODAY - dt.timedelta(days=400)


def version(
    number: int, partition: str = "2023", rows: int = 100, source: str = "wrds", **nulls: float
) -> PartitionStatistics:
    return PartitionStatistics(
        "crsp", "crsp_daily", partition, number, source, rows, nulls, {"rows": {"": float(rows)}}
    )


COVERED = PartitionCoverage(
    "crsp", "crsp_daily", "2023", 4, dt.date(2023, 1, 3), dt.date(2023, 12, 29), 500, 2, 249, 1,
    (("2023-05-01", "2023-05-01", 1),), {"2023-01": 2},
)  # fmt: skip


def test_the_figures_of_versions_come_back_oldest_first_and_stay_as_they_were(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        for number in (3, 1, 2):
            partition_statistics.store(connection, version(number, ret=number / 10))
        partition_statistics.store(connection, version(2, rows=7))
        partition_statistics.store(connection, version(9, "2022"))
        partition_statistics.store(connection, version(4, source="wrds_siz"))
        found = partition_statistics.of_versions(connection, "crsp_daily", "2023", "wrds", 9, 2)
        everything = partition_statistics.of_versions(connection, "crsp_daily", "2023", "wrds", 9)
    assert [(each.manifest_version, each.null_shares, each.row_count) for each in found] == [
        (2, {"ret": 0.2}, 100),
        (3, {"ret": 0.3}, 100),
    ]
    assert [each.manifest_version for each in everything] == [1, 2, 3]


def test_neighbours_are_told_by_their_latest_version_in_the_order_asked_for(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        for number, partition in ((1, "2021"), (2, "2021"), (3, "2022")):
            partition_statistics.store(connection, version(number, partition))
        found = partition_statistics.latest_of(connection, "crsp_daily", ["2022", "2020", "2021"], "wrds", 9)
    assert [(each.partition, each.manifest_version) for each in found] == [("2022", 3), ("2021", 2)]


def test_coverage_is_one_row_a_partition_that_only_a_newer_version_replaces(records: Records) -> None:
    newer = dataclasses.replace(COVERED, manifest_version=5, row_count=600, gaps=(), missing_dates=0)
    older = dataclasses.replace(COVERED, manifest_version=3, row_count=1)
    with records.transaction(SYSTEM) as connection:
        for found in (COVERED, newer, older):
            coverage.store(connection, found)
        (kept,) = coverage.of_tables(connection, "crsp")
        assert coverage.of_tables(connection, "crsp", "crsp_monthly") == []
    assert dataclasses.replace(kept, updated_at=None) == newer


def test_what_was_stored_of_gaps_and_symbols_comes_back(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        coverage.store(connection, COVERED)
        (kept,) = coverage.of_tables(connection, "crsp", "crsp_daily")
    assert dataclasses.replace(kept, updated_at=None) == COVERED


def test_coverage_of_partitions_that_a_version_lacks_is_forgotten_and_later_ones_stay(
    records: Records,
) -> None:
    later = dataclasses.replace(COVERED, partition="2025", manifest_version=6)
    other = dataclasses.replace(COVERED, table_name="crsp_monthly")
    with records.transaction(SYSTEM) as connection:
        for found in (COVERED, dataclasses.replace(COVERED, partition="2022"), later, other):
            coverage.store(connection, found)
    with records.transaction(ANN) as connection:
        assert coverage.forget_others(connection, "crsp_daily", ["2022"], 5) == 0
    with records.transaction(SYSTEM) as connection:
        assert coverage.forget_others(connection, "crsp_daily", ["2022"], 5) == 1
        kept = [(each.table_name, each.partition) for each in coverage.of_tables(connection, "crsp")]
    assert kept == [("crsp_daily", "2022"), ("crsp_daily", "2025"), ("crsp_monthly", "2023")]


def test_figures_of_later_versions_than_asked_for_are_left_out(records: Records) -> None:
    with records.transaction(SYSTEM) as connection:
        for number in (1, 2, 3):
            partition_statistics.store(connection, version(number))
        versions = partition_statistics.of_versions(connection, "crsp_daily", "2023", "wrds", 2)
        latest = partition_statistics.latest_of(connection, "crsp_daily", ["2023"], "wrds", 2)
    assert [each.manifest_version for each in (*versions, *latest)] == [1, 2, 2]


@pytest.fixture
def history(records: Records) -> Records:
    """Two days of crsp, of which one is long ago, and a day of fama_french."""
    with records.transaction(SYSTEM) as connection:
        partition_statistics.store(connection, version(1, "2022", rows=100, ret=0.1, prc=0.0))
        partition_statistics.store(connection, version(2, "2023", rows=300, ret=0.5, prc=0.0))
        checks: list[tuple[Status, str]] = [
            ("passed", "crsp"),
            ("warning", "crsp"),
            ("failed", "crsp"),
            ("failed", "fama_french"),
        ]
        validations.store(
            connection, [Validation(of, f"{of}_daily", "2023", "contract", status) for status, of in checks]
        )
        alerts.store(
            connection,
            [Alert(of, f"{of}_daily", "2023", "row_drop", "error", "fewer") for of in ("crsp", "crsp", "fama_french")],
        )
    return records


def test_trends_add_up_what_a_day_brought(history: Records) -> None:
    with history.transaction(ANN) as connection:
        (rows,) = quality_trends.row_counts(connection, "crsp", TODAY)
        nulls = quality_trends.null_shares(connection, "crsp", TODAY)
        (rate,) = quality_trends.pass_rates(connection, "crsp", TODAY, "crsp_daily")
        (anomalies,) = quality_trends.anomalies(connection, "crsp", TODAY)
        assert quality_trends.first_day(connection, "crsp") == TODAY
    assert (rows.versions, rows.partitions, rows.rows_published) == (2, 2, 400)
    assert {each.column_name: each.null_share for each in nulls} == {"ret": pytest.approx(0.4), "prc": 0.0}
    assert (rate.checks, rate.passed, rate.warned, rate.failed) == (3, 1, 1, 1)
    assert rate.pass_rate == pytest.approx(2 / 3)
    assert (anomalies.metric, anomalies.severity, anomalies.alerts) == ("row_drop", "error", 2)


def test_trends_end_where_they_are_asked_to_and_are_of_the_table_asked_for(history: Records) -> None:
    tomorrow = TODAY + dt.timedelta(days=1)
    with history.transaction(SYSTEM) as connection:
        for trend in (
            quality_trends.row_counts,
            quality_trends.null_shares,
            quality_trends.pass_rates,
            quality_trends.anomalies,
        ):
            assert trend(connection, "crsp", tomorrow) == []
            assert trend(connection, "crsp", LONG_AGO, "crsp_monthly") == []
            assert trend(connection, "crsp", LONG_AGO) != []
        only = quality_trends.null_shares(connection, "crsp", LONG_AGO, "crsp_daily", "ret")
    assert [each.column_name for each in only] == ["ret"]


def test_nobody_sees_history_coverage_or_trends_of_another_dataset(history: Records) -> None:
    with history.transaction(SYSTEM) as connection:
        coverage.store(connection, COVERED)
    with history.transaction(EVE) as connection:
        assert partition_statistics.of_versions(connection, "crsp_daily", "2023", "wrds", 9) == []
        assert partition_statistics.latest_of(connection, "crsp_daily", ["2023"], "wrds", 9) == []
        assert coverage.of_tables(connection, "crsp") == []
        assert quality_trends.row_counts(connection, "crsp", LONG_AGO) == []
        assert quality_trends.null_shares(connection, "crsp", LONG_AGO) == []
        assert quality_trends.pass_rates(connection, "crsp", LONG_AGO) == []
        assert quality_trends.anomalies(connection, "crsp", LONG_AGO) == []
        assert quality_trends.first_day(connection, "crsp") is None
        assert len(quality_trends.anomalies(connection, "fama_french", LONG_AGO)) == 1


def test_nobody_writes_history_or_coverage_of_another_dataset(history: Records) -> None:
    writes: list[Callable[[Connection], None]] = [
        lambda connection: partition_statistics.store(connection, version(7)),
        lambda connection: coverage.store(connection, COVERED),
    ]
    for write in writes:
        with pytest.raises(NotPermittedError), history.transaction(EVE) as connection:
            write(connection)
