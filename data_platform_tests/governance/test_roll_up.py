"""Summing up days: what real syncs, queries and alerts come to, once for each day, however often it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest

from data_platform.catalog import find_table
from data_platform.errors import NotPermittedError, UsageError
from data_platform.governance.permissions import Role, User
from data_platform.governance.roll_up import DATASETS, LOOKED_BACK, days_due, roll_up
from data_platform.governance.sync_service import DataSyncService
from data_platform.records import acknowledgments, alerts, daily_metrics, query_audit, sync_logs
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records
from data_platform.records.daily_metrics import DailyMetrics
from data_platform.records.query_audit import SealedText
from data_platform.records.rate_limits import QUERIES
from data_platform.records.scope import Scope
from data_platform.records.sync_logs import Level, NewLine
from data_platform.settings import Settings
from data_platform.sync import SyncContext, sync_partitions
from data_platform.warehouse import Warehouse

SYSTEM = Scope.system("test")
ADMIN = User("system:roll_up_metrics_schedule", Role.ADMIN)
DAY = dt.timedelta(days=1)
TODAY = dt.date(2026, 6, 10)


def test_each_day_that_is_over_is_due_once_and_the_last_three_again() -> None:
    assert days_due(TODAY - DAY, TODAY) == [TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - DAY]
    assert days_due(TODAY - 5 * DAY, TODAY)[0] == TODAY - 7 * DAY
    everything = [TODAY - number * DAY for number in range(LOOKED_BACK, 0, -1)]
    # Of days before these some lines may be gone.
    assert days_due(None, TODAY) == days_due(TODAY - 90 * DAY, TODAY) == everything


def line(
    days_ago: int, partition: str | None, *, level: Level = "INFO", run: UUID | None = None, **extra: object
) -> NewLine:
    moment = dt.datetime.combine(TODAY - days_ago * DAY, dt.time(12), dt.UTC)
    named = {} if partition is None else {"partition": partition}
    return NewLine(uuid4(), moment, "crsp", "crsp_daily", level, "a line", {**named, **extra}, run or uuid4())


def add(records: Records, *lines: NewLine) -> None:
    with records.transaction(SYSTEM) as connection:
        for each in lines:
            sync_logs.append_many(connection, [each])


def kept(records: Records) -> dict[tuple[int, str | None], DailyMetrics]:
    """The rows of crsp by how many days ago, and table."""
    with records.transaction(SYSTEM) as connection:
        found = daily_metrics.recent(connection, TODAY - 400 * DAY, "crsp")
    return {((TODAY - row.day).days, row.table_name): row for row in found}


def test_the_last_word_on_a_partition_counts_and_only_what_was_published_has_a_size(records: Records) -> None:
    run = uuid4()
    add(
        records,
        line(1, "2024", run=run, rows=5, seconds=9.0, rows_per_second=1),
        line(1, "2024", run=run, level="ERROR", error="SourceError"),
        line(1, "2024", run=run, version=2, rows=100, bytes=1000, seconds=4.0),
        line(1, "2023", run=run, version=2),
        line(1, "2022", run=run, level="ERROR", error="SchemaError"),
        line(1, None, level="ERROR", error="SourceError"),
        line(1, "2024", version=3, rows=10, bytes=100, seconds=2.0),
        line(0, "2024", version=4, rows=1, bytes=1, seconds=1.0),
    )
    roll_up(records, ADMIN, TODAY)
    expected = DailyMetrics(TODAY - DAY, "crsp", "crsp_daily", 5, 2, 110, 1100, 3.0, 4.0)
    assert kept(records) == {
        (1, None): DailyMetrics(TODAY - DAY, "crsp", None, 5, 2, 110, 1100, 3.0, 4.0),
        (1, "crsp_daily"): expected,
    }


def test_missed_days_are_caught_up_and_late_lines_counted_and_nothing_twice(records: Records) -> None:
    add(records, line(9, "2024", version=1, rows=1, bytes=1, seconds=1.0))
    planned = roll_up(records, ADMIN, TODAY - 8 * DAY, dry_run=True)
    assert planned.days == (TODAY - 9 * DAY,)
    assert kept(records) == {}
    assert roll_up(records, ADMIN, TODAY - 8 * DAY) == planned
    add(records, line(4, "2024", version=2, rows=2, bytes=2, seconds=1.0))
    done = roll_up(records, ADMIN, TODAY)
    # Its day, and the two before it, which are there still.
    assert done.days == tuple(TODAY - number * DAY for number in range(11, 0, -1))
    assert len(done.rows) == 11 * len(DATASETS) + 2
    first = kept(records)
    assert sorted(days for days, table in first if table is None) == list(range(1, 12))
    assert {days for days, table in first if table} == {4, 9}
    assert roll_up(records, ADMIN, TODAY).days == tuple(TODAY - number * DAY for number in (3, 2, 1))
    assert kept(records) == first
    add(records, line(2, "2023", version=3, rows=3, bytes=3, seconds=1.0))
    roll_up(records, ADMIN, TODAY)
    assert kept(records)[2, "crsp_daily"].rows_published == 3


def test_who_is_no_administrator_sums_up_nothing(records: Records) -> None:
    with pytest.raises(NotPermittedError):
        roll_up(records, User("otto", Role.OPERATOR), TODAY)
    assert kept(records) == {}


@pytest.fixture
def lived(context: SyncContext, wrds_owner: psycopg.Connection) -> Iterator[SyncContext]:
    """A platform on which something of each kind happened today."""
    names, records = find_table("crsp_names"), context.records
    for gone in (False, False, True):
        if gone:
            wrds_owner.execute("ALTER TABLE crsp.stksecurityinfohist RENAME TO gone")
        assert len(list(sync_partitions(replace(context, run_id=uuid4()), names, ["all"]))) == 1
    text = SealedText("0" * 64, "0" * 64, b"x")
    asked = query_audit.record_attempt(records, "ann", "crsp", 1, text, None, QUERIES)
    query_audit.record_outcome(records, asked.audit_id, 1, 1, "success")
    query_audit.record_attempt(records, "ann", "crsp", 1, text, None, QUERIES)
    query_audit.record_refusal(records, "ben", "crsp", text, None)
    with records.transaction(SYSTEM) as connection:
        raised = [
            Alert("crsp", "crsp_daily", "2024", "row_drop", "error", "fewer"),
            Alert("platform", "platform", "all", "disk_usage", "warning", "filling up"),
        ]
        numbers = alerts.store(connection, raised)
    for number in numbers:
        with records.transaction(SYSTEM) as connection:
            acknowledgments.acknowledge(connection, number, "adm", "seen")
    yield context


def test_real_syncs_queries_and_alerts_are_counted_and_read_by_whom_they_concern(lived: SyncContext) -> None:
    records = lived.records
    tomorrow = dt.datetime.now(dt.UTC).date() + DAY
    roll_up(records, ADMIN, tomorrow)
    service = DataSyncService(records, Warehouse(lived.settings.warehouse_root), Settings())
    found = {(row.dataset, row.table_name): row for row in service.get_sync_history(User("adm", Role.ADMIN))}
    manifest = lived.warehouse.manifests("crsp_names").latest()
    assert manifest is not None
    (file,) = manifest.files
    names = found["crsp", "crsp_names"]
    # One published, one found nothing new, one failed.
    assert (names.syncs, names.failures) == (3, 1)
    assert (names.rows_published, names.bytes_published) == (file.rows, file.bytes)
    assert names.seconds_median == names.seconds_longest
    assert (names.seconds_longest or 0.0) > 0.0
    whole = found["crsp", None]
    assert (whole.queries, whole.denials) == ({"denied": 1, "success": 1}, 1)
    assert (found["crsp", "crsp_daily"].alerts_raised, found["crsp", "crsp_daily"].alerts_acknowledged) == (1, 1)
    assert (found["platform", None].alerts_raised, found["platform", None].alerts_acknowledged) == (1, 1)
    assert {row.dataset for row in service.get_sync_history(User("ann", Role.ANALYST))} == {"crsp", "fama_french"}
    assert {row.dataset for row in service.get_sync_history(User("v", Role.VIEWER))} == {"fama_french"}
    with pytest.raises(NotPermittedError):
        service.get_sync_history(User("v", Role.VIEWER), "crsp")
    for days in (0, 4000):
        with pytest.raises(UsageError, match="from 1 to"):
            service.get_sync_history(User("adm", Role.ADMIN), days=days)
