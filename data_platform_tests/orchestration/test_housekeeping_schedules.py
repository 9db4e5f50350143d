"""When housekeeping runs: as declared, on New York's clock, on both days on which it changes."""

from __future__ import annotations

import datetime as dt
from itertools import islice, pairwise
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._utils.schedules import schedule_execution_time_iterator
from dagster._utils.tags import TagConcurrencyLimitsCounter

from data_platform.definitions import build_definitions
from data_platform.errors import ConfigurationError
from data_platform.orchestration.housekeeping.build import JOBS
from data_platform.orchestration.housekeeping.timetable import TIMETABLE, Chore
from data_platform.settings import PROJECT_ROOT, Settings, load_settings

EVERY_CHORE = pytest.mark.parametrize("chore", TIMETABLE, ids=lambda chore: chore.name)
SPRING, AUTUMN = dt.datetime(2026, 3, 7, 5, tzinfo=dt.UTC), dt.datetime(2026, 10, 31, 4, tzinfo=dt.UTC)
"""Midnight in New York, a day before the clocks change."""


def schedule(chore: Chore, home: Path, **settings: str) -> dg.ScheduleDefinition:
    definitions = build_definitions(Settings.model_validate({"home": home, **settings}))
    found = definitions.resolve_schedule_def(chore.schedule_name)
    assert isinstance(found, dg.ScheduleDefinition)
    return found


def ticks(chore: Chore, home: Path, after: dt.datetime, count: int) -> list[str]:
    """The next ticks, in UTC."""
    found = schedule(chore, home)
    times = schedule_execution_time_iterator(after.timestamp(), found.cron_schedule, found.execution_timezone)
    return [f"{time.astimezone(dt.UTC):%a %m-%d %H:%M}" for time in islice(times, count)]


SPRING_TICKS = {
    "prune_run_history": ["Sun 03-08 01:00", "Mon 03-09 00:00", "Tue 03-10 00:00"],
    "archive_old_records": ["Sun 03-08 01:20", "Mon 03-09 00:20", "Tue 03-10 00:20"],
    "retire_old_versions": ["Sun 03-08 01:40", "Mon 03-09 00:40", "Tue 03-10 00:40"],
    "roll_up_metrics": ["Sun 03-08 02:00", "Mon 03-09 01:00", "Tue 03-10 01:00"],
    "clean_up": ["Sun 03-08 02:20", "Mon 03-09 01:20", "Tue 03-10 01:20"],
    "back_up_daily": ["Sat 03-07 12:00", "Mon 03-09 11:00", "Tue 03-10 11:00"],
    "back_up_weekly": ["Sun 03-08 11:00", "Sun 03-15 11:00", "Sun 03-22 11:00"],
    "verify_warehouse": ["Sat 03-07 17:00", "Sat 03-14 16:00", "Sat 03-21 16:00"],
    "rehearse_restore": ["Wed 04-01 16:00", "Fri 05-01 16:00", "Mon 06-01 16:00"],
}
AUTUMN_TICKS = {
    "prune_run_history": ["Sun 11-01 00:00", "Mon 11-02 01:00", "Tue 11-03 01:00"],
    "archive_old_records": ["Sun 11-01 00:20", "Mon 11-02 01:20", "Tue 11-03 01:20"],
    "retire_old_versions": ["Sun 11-01 00:40", "Mon 11-02 01:40", "Tue 11-03 01:40"],
    "roll_up_metrics": ["Sun 11-01 01:00", "Mon 11-02 02:00", "Tue 11-03 02:00"],
    "clean_up": ["Sun 11-01 01:20", "Mon 11-02 02:20", "Tue 11-03 02:20"],
    "back_up_daily": ["Sat 10-31 11:00", "Mon 11-02 12:00", "Tue 11-03 12:00"],
    "back_up_weekly": ["Sun 11-01 12:00", "Sun 11-08 12:00", "Sun 11-15 12:00"],
    "verify_warehouse": ["Sat 10-31 16:00", "Sat 11-07 17:00", "Sat 11-14 17:00"],
    "rehearse_restore": ["Sun 11-01 17:00", "Tue 12-01 17:00", "Fri 01-01 17:00"],
}


@EVERY_CHORE
def test_the_ticks_are_those_of_new_yorks_clock_when_it_changes(chore: Chore, tmp_path: Path) -> None:
    assert ticks(chore, tmp_path, SPRING, 3) == SPRING_TICKS[chore.name]
    assert ticks(chore, tmp_path, AUTUMN, 3) == AUTUMN_TICKS[chore.name]


@pytest.mark.parametrize("start", [SPRING, AUTUMN], ids=["spring", "autumn"])
def test_each_day_of_a_year_has_one_backup_and_no_two_chores_start_within_a_quarter_of_an_hour(
    start: dt.datetime, tmp_path: Path
) -> None:
    found: list[tuple[dt.datetime, str]] = []
    for chore in TIMETABLE:
        times = schedule_execution_time_iterator(
            start.timestamp(), chore.cron, schedule(chore, tmp_path).execution_timezone
        )
        found += [(time, chore.name) for time in islice(times, 400) if time < start + dt.timedelta(days=365)]
    backups = sorted(time.date() for time, name in found if name.startswith("back_up"))
    assert len(backups) == len(set(backups)) == 365
    moments = sorted(time.timestamp() for time, name in found if name != "rehearse_restore")
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 900


@EVERY_CHORE
def test_a_schedule_is_off_in_development_and_on_in_production(chore: Chore, tmp_path: Path) -> None:
    assert schedule(chore, tmp_path).default_status is dg.DefaultScheduleStatus.STOPPED
    assert schedule(chore, tmp_path, env="production").default_status is dg.DefaultScheduleStatus.RUNNING


@EVERY_CHORE
def test_a_schedule_asks_for_one_run_of_its_own_job(chore: Chore, tmp_path: Path) -> None:
    found = schedule(chore, tmp_path)
    assert found.job_name == chore.name
    context = dg.build_schedule_context(scheduled_execution_time=SPRING)
    (request,) = found.evaluate_tick(context).run_requests or []
    assert request.run_config == {}
    assert request.tags["dagster/schedule_name"] == chore.schedule_name


def test_the_queue_lets_one_housekeeping_job_run_at_a_time(tmp_path: Path) -> None:
    """After a pause all that was missed is due at once, and of jobs that take the same lock all but one would fail."""
    ours = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text())
    overrides = {name: ours[name] for name in ("concurrency", "run_coordinator")}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=overrides) as instance:
        queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 4
    runs = [dg.DagsterRun(job_name=job.name, tags=dict(job.tags)) for job in JOBS.values()]
    for run in runs:
        under_way = TagConcurrencyLimitsCounter(queue.tag_concurrency_limits, [run])
        assert [other.job_name for other in runs if not under_way.is_blocked(other)] == []
        assert not under_way.is_blocked(dg.DagsterRun(job_name="__ASSET_JOB", tags={}))
        assert not TagConcurrencyLimitsCounter(queue.tag_concurrency_limits, []).is_blocked(run)


def test_another_environment_than_the_two_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_PLATFORM_ENV", "staging")
    with pytest.raises(ConfigurationError, match="DATA_PLATFORM_ENV"):
        load_settings()
    monkeypatch.setenv("DATA_PLATFORM_ENV", "production")
    assert load_settings().env == "production"
