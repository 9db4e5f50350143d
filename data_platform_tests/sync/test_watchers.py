"""What each watcher finds and when: decisions from facts, without a platform."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from data_platform.catalog import TABLES, find_table
from data_platform.quality.calendars import trading_calendar
from data_platform.records.alerts import StoredAlert
from data_platform.sync.watchers import storage, syncs, telling, upkeep
from data_platform.sync.watchers.looking import Sighting
from data_platform.sync.watchers.syncs import RunningSync
from data_platform.sync.watchers.telling import Held
from data_platform.sync.watchers.upkeep import BackupHistory, DaemonState
from data_platform.sync.watchers.watch import Metric, Watch, key_of
from data_platform.warehouse.conditions import Condition
from data_platform.warehouse.disk import assess
from data_platform.warehouse.lock import LockState
from data_platform.warehouse.lock_token import new_token
from data_platform.warehouse.quarantine import QuarantineEntry, entry_id

NOW = dt.datetime(2024, 7, 3, 15, tzinfo=dt.UTC)
HOUR, MINUTE, DAY = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("took", "full", "told"),
    [
        (HOUR, False, False),
        (HOUR + MINUTE, False, True),
        (HOUR + MINUTE, True, False),
        (4 * HOUR, True, False),
        (4 * HOUR + MINUTE, True, True),
    ],
)
def test_a_sync_may_take_four_hours_and_a_single_partition_one(took: dt.timedelta, full: bool, told: bool) -> None:
    found = syncs.too_long([RunningSync("crsp_daily", NOW - took, full)], NOW)
    assert [(watch.metric, watch.table_name) for watch in found] == [(Metric.SYNC_TOO_LONG, "crsp_daily")] * told


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        ("2024-07-03T11:59Z", "2024-07-01"),  # Wednesday, 7:59 in New York: Tuesday's rows have until 8:00
        ("2024-07-03T12:00Z", "2024-07-02"),
        ("2024-07-04T20:00Z", "2024-07-02"),  # a holiday is nobody's deadline
        ("2024-07-05T12:00Z", "2024-07-03"),
        ("2024-07-07T12:00Z", "2024-07-03"),  # Sunday: Friday's rows are due on Monday
        ("2024-07-08T12:00Z", "2024-07-05"),
        ("2024-01-03T12:59Z", "2023-12-29"),  # in winter, 8:00 in New York is 13:00 UTC
        ("2024-01-03T13:00Z", "2024-01-02"),
    ],
)
def test_a_sessions_rows_are_due_at_eight_in_new_york_on_the_next_session(moment: str, due: str) -> None:
    now = dt.datetime.fromisoformat(moment)
    assert syncs.session_due(now, trading_calendar("XNYS")) == dt.date.fromisoformat(due)


@pytest.mark.parametrize(
    ("table", "end", "told"),
    [
        ("crsp_daily", "2024-07-02", False),
        ("crsp_daily", "2024-07-01", True),
        ("crsp_daily", None, True),
        ("ff_factors_daily", "2024-05-31", False),
        ("ff_factors_daily", "2024-04-30", True),
    ],
)
def test_data_is_late_without_the_session_that_is_due(table: str, end: str | None, told: bool) -> None:
    last = None if end is None else dt.date.fromisoformat(end)
    watch = syncs.late(find_table(table), last, dt.date(2024, 7, 2))
    assert (watch is not None) is told


def test_only_tables_of_sessions_are_daily() -> None:
    daily = {table.name for table in TABLES.values() if syncs.is_daily(table)}
    assert {"crsp_daily", "ff_factors_daily"} <= daily
    assert not daily & {"crsp_monthly", "crsp_names", "ff_factors_monthly"}


@pytest.mark.parametrize(
    ("used", "mark", "severity"),
    [(79, None, None), (80, 80, "warning"), (90, 90, "error"), (94, 90, "error"), (95, 95, "error")],
)
def test_the_disk_has_three_marks_and_the_highest_is_told(used: int, mark: int | None, severity: str | None) -> None:
    found = storage.disk_usage(assess(free_bytes=100 - used, used_bytes=used))
    assert [(watch.expected_value, watch.severity) for watch in found] == ([] if mark is None else [(mark, severity)])


@pytest.mark.parametrize(
    ("held", "silent", "told"), [(4 * HOUR, 0, False), (4 * HOUR + MINUTE, 0, True), (HOUR, 9, False)]
)
def test_a_lock_is_suspect_after_four_hours_and_not_for_silence(held: dt.timedelta, silent: int, told: bool) -> None:
    token = new_token(1).model_copy(update={"acquired_at": NOW - held, "expires_at": NOW - held + 4 * HOUR})
    state = LockState(table="crsp_daily", alive=True, token=token, heartbeat_at=NOW - silent * MINUTE)
    assert len(storage.suspect_locks([state], NOW)) == told


def test_files_are_told_once_for_each_table() -> None:
    gone = Condition(kind="missing_file", severity="error", table="crsp_daily", message="2 files are gone", hint="")
    damaged = gone.model_copy(update={"kind": "damaged", "message": "a file is damaged"})
    other = gone.model_copy(update={"table": "ccm_links"})
    disk = gone.model_copy(update={"kind": "disk", "table": None})
    found = storage.files([damaged, gone, other, disk])
    assert [(watch.table_name, watch.current_value) for watch in found] == [("crsp_daily", 2), ("ccm_links", 1)]
    assert found[0].message == "a file is damaged. And 1 more like it."


@pytest.mark.parametrize(("ages", "told"), [([59], None), ([61], 1), ([61, 300, 10], 2)])
def test_quarantine_is_told_after_an_hour(ages: list[int], told: int | None) -> None:
    entries = [
        QuarantineEntry(
            entry_id=entry_id(NOW - age * MINUTE),
            dataset="crsp",
            table="crsp_daily",
            partition="2024",
            created_at=NOW - age * MINUTE,
            findings=(),
            source="demo",
            source_fingerprint="f",
            row_count=None,
            files=(),
        )
        for age in ages
    ]
    assert [watch.current_value for watch in storage.quarantined(entries, NOW)] == ([] if told is None else [told])


@pytest.mark.parametrize(
    ("history", "failed", "old"),
    [
        (BackupHistory(configured=False), 0, None),
        (BackupHistory(configured=True), 0, "warning"),
        # The last one ended at its quickest before an hour came twice, and the next is not done yet.
        (BackupHistory(configured=False, made_at=NOW - DAY - 120 * MINUTE), 0, None),
        (BackupHistory(configured=False, made_at=NOW - DAY - 121 * MINUTE), 0, "error"),
        (BackupHistory(configured=True, made_at=NOW - 2 * MINUTE, failed_at=NOW - MINUTE), 1, None),
        (BackupHistory(configured=True, made_at=NOW - MINUTE, failed_at=NOW - 2 * MINUTE), 0, None),
        (BackupHistory(configured=True, failed_at=NOW - MINUTE), 1, "warning"),
    ],
)
def test_backups_fail_and_grow_old(history: BackupHistory, failed: int, old: str | None) -> None:
    assert len(upkeep.backup_failed(history)) == failed
    assert [watch.severity for watch in upkeep.backup_old(history, NOW)] == ([] if old is None else [old])


@pytest.mark.parametrize(
    ("days", "severity"), [(None, None), (31, None), (30, "warning"), (8, "warning"), (7, "error"), (-3, "error")]
)
def test_a_password_is_told_of_a_month_and_a_week_before_its_end(days: int | None, severity: str | None) -> None:
    expires = None if days is None else NOW.date() + days * DAY
    found = upkeep.credential_expiry(expires, NOW.date())
    assert [watch.severity for watch in found] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("daemon", "severity"),
    [
        (DaemonState("SCHEDULER", NOW - 9 * MINUTE), None),
        (DaemonState("SCHEDULER", NOW - 11 * MINUTE), "error"),
        (DaemonState("SCHEDULER", None), "error"),
        (DaemonState("SCHEDULER", NOW, errors=2), "warning"),
    ],
)
def test_a_daemon_is_told_of_when_it_is_silent_or_in_trouble(daemon: DaemonState, severity: str | None) -> None:
    found = upkeep.unhealthy_daemons([daemon], NOW)
    assert [(watch.severity, watch.partition) for watch in found] == (
        [] if severity is None else [(severity, "SCHEDULER")]
    )


LATE = Watch(Metric.DATA_LATE, "warning", "crsp_daily ends on 2024-07-01.", table_name="crsp_daily")
KEY = key_of(LATE.alert)


def _opened(watch: Watch = LATE, age: dt.timedelta = HOUR) -> StoredAlert:
    alert = watch.alert
    values = {name: getattr(alert, name) for name in alert.__dataclass_fields__}
    return StoredAlert(**values, id=7, created_at=NOW - age, acknowledged_by=None, acknowledged_at=None)


def test_a_condition_is_told_once_whatever_it_says_later() -> None:
    first = telling.plan(Sighting((LATE,)), [], {}, NOW)
    assert first.told == (LATE,)
    later = replace(LATE, message="crsp_daily ends on 2024-07-02.")
    again = telling.plan(Sighting((later,)), [_opened()], first.memory, NOW + MINUTE)
    assert (again.told, again.over) == ((), ())


def test_what_a_person_settled_is_not_told_again_until_it_was_over() -> None:
    memory = {KEY: Held(NOW - HOUR, told=True)}
    assert telling.plan(Sighting((LATE,)), [], memory, NOW).told == ()
    gone = telling.plan(Sighting(()), [], memory, NOW)
    assert gone.memory == {}
    assert telling.plan(Sighting((LATE,)), [], gone.memory, NOW + MINUTE).told == (LATE,)


def test_an_open_alert_stands_in_for_a_lost_memory() -> None:
    assert telling.plan(Sighting((LATE,)), [_opened()], telling.read("torn"), NOW).told == ()


def test_what_is_over_is_settled_after_a_quarter_of_an_hour() -> None:
    for age, over in ((14 * MINUTE, 0), (15 * MINUTE, 1)):
        assert len(telling.plan(Sighting(()), [_opened(age=age)], {}, NOW).over) == over


def test_what_could_not_be_seen_is_neither_over_nor_forgotten() -> None:
    memory = {KEY: Held(NOW - HOUR, told=True)}
    blind = telling.plan(Sighting((), frozenset({Metric.DATA_LATE})), [_opened()], memory, NOW)
    assert (blind.over, blind.memory) == ((), memory)


def test_what_needs_patience_is_told_when_it_has_lasted() -> None:
    silent = Watch(Metric.DAEMON, "error", "silent", partition="SCHEDULER", patience=5 * MINUTE)
    memory: telling.Memory = {}
    told: list[int] = []
    for minute in range(8):
        step = telling.plan(Sighting((silent,)), [], memory, NOW + minute * MINUTE)
        memory = telling.read(telling.written(step.memory))
        told += [minute] * len(step.told)
    assert told == [5]


def test_a_worse_grade_is_told_and_settles_the_milder_one() -> None:
    (mild,) = storage.disk_usage(assess(free_bytes=15, used_bytes=85))
    (worse,) = storage.disk_usage(assess(free_bytes=7, used_bytes=93))
    step = telling.plan(Sighting((worse,)), [_opened(mild)], {}, NOW)
    assert (step.told, [alert.partition for alert in step.over]) == ((worse,), ["80%"])


@pytest.mark.parametrize("text", [None, "", "[]", "3", '{"a": 1}', '{"a": ["yesterday", true]}', "{"])
def test_a_memory_that_can_not_be_read_is_empty(text: str | None) -> None:
    assert telling.read(text) == {}
