"""The watchers with real parts: each trouble is told once, is over when it is over, and can come again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from data_platform.definitions import build_definitions
from data_platform.orchestration.dead_runs import PROCESS_TAG
from data_platform.orchestration.resource import EnvironmentPlatform, WatchedPlatform
from data_platform.orchestration.watching import is_full, last_chores, running_syncs
from data_platform.records import acknowledgments, alert_rules
from data_platform.records.connection import Records
from data_platform.sync import SyncContext
from data_platform.sync.watchers.watch import Metric
from data_platform.warehouse import Warehouse
from data_platform_tests.alerting.servers import hook
from data_platform_tests.orchestration.housekeeping import Housekeeping
from data_platform_tests.orchestration.watched import DAY, HOUR, MINUTE, SYSTEM, TROUBLES, Watched, beat, watched
from data_platform_tests.ports import free_port
from data_platform_tests.warehouse.faults.volume import small_volume

ENOUGH = 8
"""Looks, one a minute: more than the longest patience."""


@pytest.fixture
def there(records: Records, postgres_home: Path, tmp_path: Path) -> Iterator[Watched]:
    with watched(records, postgres_home, tmp_path) as made:
        yield made


@pytest.mark.parametrize("metric", TROUBLES)
def test_a_trouble_is_told_once_and_is_over_when_it_is_over_and_can_come_again(there: Watched, metric: str) -> None:
    trouble, dataset = TROUBLES[metric]
    there.look()
    assert there.alerts(metric) == []
    for time in (1, 2):
        with trouble(there):
            there.look(ENOUGH)
            newest, *older = there.alerts(metric)
            assert (len(older), newest.dataset, newest.acknowledged) == (time - 1, dataset, False)
        there.look(2, every=20 * MINUTE)
        assert [alert.acknowledged_by for alert in there.alerts(metric)] == ["system:watchers"] * time
        kept = there.acknowledgment(newest)
        assert kept is not None
        assert kept.reason == "over"


def test_every_metric_of_this_sensor_but_the_disks_has_its_trouble() -> None:
    assert set(TROUBLES) == {metric.value for metric in Metric} - {"disk_usage", "price_drift"}


def test_what_a_person_has_settled_is_not_told_again_while_it_lasts(there: Watched) -> None:
    trouble, _ = TROUBLES["quarantine"]
    with trouble(there):
        there.look()
        (alert,) = there.alerts("quarantine")
        with there.platform.records.transaction(SYSTEM) as connection:
            acknowledgments.acknowledge(connection, alert.id, "ann", "known")
        there.look(ENOUGH)
        assert [each.acknowledged_by for each in there.alerts("quarantine")] == ["ann"]
    there.look()
    with trouble(there):
        there.look(ENOUGH)
        assert [each.acknowledged_by for each in there.alerts("quarantine")] == [None, "ann"]


def test_an_alert_is_sent_once(there: Watched) -> None:
    with hook() as got:
        there.set(alert_channels={"oncall": SecretStr(got.address)})
        with there.platform.records.transaction(SYSTEM) as connection:
            alert_rules.add(connection, "platform", "oncall", dataset="platform", metric="credential_expiry")
        trouble, _ = TROUBLES["credential_expiry"]
        with trouble(there):
            there.look(ENOUGH)
    assert [message["title"] for message in got.got] == ["1 warning in platform"]


def test_the_sensor_starts_no_run_and_says_what_is_wrong(there: Watched) -> None:
    resources = {"platform": _resource(there)}
    definitions = build_definitions(there.platform.settings, resources)
    sensor = definitions.resolve_sensor_def("watchers")
    assert (sensor.minimum_interval_seconds, sensor.default_status) == (60, dg.DefaultSensorStatus.RUNNING)
    cursor = None
    trouble, _ = TROUBLES["quarantine"]
    with trouble(there):
        for _ in range(3):
            with dg.build_sensor_context(
                there.instance, cursor=cursor, definitions=definitions, resources=resources
            ) as context:
                result = sensor.evaluate_tick(context)
            assert result.run_requests == []
            assert "quarantine (crsp_daily)" in str(result.skip_message)
            cursor = result.cursor
    assert len(there.alerts("quarantine")) == 1


def _resource(there: Watched) -> WatchedPlatform:
    platform = there.platform
    context = SyncContext(platform.settings, platform.warehouse, platform.records)
    return WatchedPlatform(platform, context, lambda _result: None)


def test_a_tick_without_a_database_says_so_and_keeps_what_it_knew(
    there: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_PLATFORM_HOME", str(tmp_path / "h"))
    monkeypatch.setenv("DATA_PLATFORM_POSTGRES_URL", f"postgresql://127.0.0.1:{free_port()}/none")
    definitions = build_definitions(there.platform.settings)
    resources = {"platform": EnvironmentPlatform()}
    with dg.build_sensor_context(
        there.instance, cursor="kept", definitions=definitions, resources=resources
    ) as context:
        result = definitions.resolve_sensor_def("watchers").evaluate_tick(context)
    assert str(result.skip_message).startswith("Could not look:")
    assert result.cursor == "kept"


def test_each_mark_of_the_disk_is_told_once(there: Watched, tmp_path: Path) -> None:
    with small_volume(tmp_path / "disk", 20 * 2**20) as folder:
        there.platform = replace(there.platform, warehouse=Warehouse(folder))
        told: list[list[tuple[str, str, bool]]] = []
        for megabytes in (10, 17, 18.5, 19.5, 10):
            (folder / "ballast").write_bytes(bytes(int(megabytes * 2**20)))
            there.look(3, every=20 * MINUTE)
            told.append([(each.partition, each.severity, each.acknowledged) for each in there.alerts("disk_usage")])
    assert told == [
        [],
        [("80%", "warning", False)],
        [("90%", "error", False), ("80%", "warning", True)],
        [("95%", "error", False), ("90%", "error", True), ("80%", "warning", True)],
        [("95%", "error", True), ("90%", "error", True), ("80%", "warning", True)],
    ]


def test_the_syncs_of_a_killed_command_do_not_run(there: Watched) -> None:
    trouble, _ = TROUBLES["sync_too_long"]
    with trouble(there):
        (run,) = there.instance.get_runs()
        assert [sync.table for sync in running_syncs(there.instance)] == ["crsp_daily"]
        there.instance.add_run_tags(run.run_id, {PROCESS_TAG: "another-boot:1:1.00"})
        assert running_syncs(there.instance) == []


@pytest.mark.parametrize(
    ("config", "tags", "full"),
    [
        ({}, {}, False),
        ({"full": False}, {"dagster/partition": "2024"}, False),
        ({"full": True}, {}, True),
        ({}, {"dagster/asset_partition_range_start": "2023", "dagster/asset_partition_range_end": "2024"}, True),
        ({}, {"dagster/asset_partition_range_start": "2024", "dagster/asset_partition_range_end": "2024"}, False),
    ],
)
def test_a_full_sync_was_asked_for_or_has_several_partitions(
    config: dict[str, object], tags: dict[str, str], full: bool
) -> None:
    run = dg.DagsterRun(
        job_name="j",
        run_id="00000000-0000-0000-0000-000000000000",
        run_config={"ops": {"sync_crsp_daily": {"config": config}}},
        tags=tags,
        asset_selection=frozenset({dg.AssetKey("crsp_daily")}),
    )
    assert is_full(run, "crsp_daily") is full


def test_a_daemon_that_was_only_just_started_is_not_told_of(there: Watched) -> None:
    beat(there, there.now - 2 * DAY)
    there.look()
    beat(there, there.now + HOUR)
    there.look(ENOUGH)
    assert there.alerts("daemon") == []


def test_the_last_run_of_a_chore_counts_and_a_dry_one_does_not(there: Watched) -> None:
    jobs = Housekeeping(there.platform, there.instance)
    assert last_chores(there.instance) == []
    assert not jobs.run("rehearse_restore", dry_run=True).success
    assert last_chores(there.instance) == []
    assert not jobs.run("rehearse_restore").success
    assert jobs.run("clean_up").success
    assert [(each.job, each.failed) for each in last_chores(there.instance)] == [
        ("clean_up", False),
        ("rehearse_restore", True),
    ]


def test_a_look_is_short(there: Watched) -> None:
    there.look()
    begun = dt.datetime.now(dt.UTC)
    there.look(10)
    # A twentieth of that with nothing beside it; Dagster allows a minute.
    assert (dt.datetime.now(dt.UTC) - begun) / 10 < dt.timedelta(seconds=5)
