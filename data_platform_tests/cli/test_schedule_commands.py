"""Schedules and the log of syncs on the command line."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_platform.catalog import TABLES
from data_platform.governance.permissions import Role, User
from data_platform.governance.roll_up import roll_up
from data_platform.records.connection import Records, open_records
from data_platform.settings import Settings
from data_platform_tests.cli.conftest import Ran, run_here
from data_platform_tests.folders import short_folder

Command = Callable[..., Ran]


@pytest.fixture(scope="module")
def opened(demo_home: Path) -> Iterator[tuple[Path, Records]]:
    """A copy of the demo whose server runs throughout, so that no command has to start it."""
    root = short_folder()
    shutil.copytree(demo_home, root / "h", symlinks=True)
    with open_records(Settings(home=root / "h")) as records:
        yield root / "h", records
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def platform(opened: tuple[Path, Records]) -> Command:
    return lambda *arguments, **variables: run_here(opened[0], *arguments, **variables)


def _one(platform: Command, table: str) -> dict[str, object]:
    (found,) = [each for each in platform("schedule", "list", "--json").json if each["table_name"] == table]
    return found


def test_every_table_is_listed_and_off_until_somebody_turns_it_on(platform: Command) -> None:
    found = platform("schedule", "list", "--json").json
    assert {each["table_name"] for each in found} == set(TABLES)
    assert {(each["enabled"], each["next_scheduled_run"]) for each in found} == {(False, None)}
    shown = platform("schedule", "list")
    assert shown.code == 0
    assert "America/New_York" in shown.out
    assert "crsp_daily" in shown.out


def test_a_schedule_is_set_turned_on_and_off(platform: Command) -> None:
    done = platform("schedule", "set", "ff_factors_daily", "--cron", "30  4 * * 1-5", "--timezone", "UTC")
    assert done.code == 0, done.err
    assert done.err.strip() == "The schedule of ff_factors_daily is off (version 2)."
    on = platform("schedule", "enable", "ff_factors_daily", "--reason", "daily from now on", "--json")
    assert (on.json["enabled"], on.json["cron_expression"], on.json["version"]) == (True, "30 4 * * 1-5", 3)
    assert on.json["next_scheduled_run"].endswith("T04:30:00Z")
    said = platform("schedule", "set", "ff_factors_daily", "--cron", "0 6 * * *").err
    assert said.startswith("The schedule of ff_factors_daily is on: '0 6 * * *' UTC, next at ")
    assert platform("schedule", "disable", "ff_factors_daily").err.strip().endswith("is off (version 5).")
    assert _one(platform, "ff_factors_daily")["next_scheduled_run"] is None
    entries = platform("audit", "show", "--json").json
    changes = [entry for entry in entries if entry.get("action") == "schedule.update"]
    assert len(changes) == 4
    assert [entry["reason"] for entry in changes if entry["reason"]] == ["daily from now on"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "crsp_daily"), "Say what to change"),
        (("set", "crsp_daily", "--cron", "99 * * * *"), "'99' is no minute"),
        (("set", "crsp_daily", "--timezone", "Mars/Olympus"), "no time zone 'Mars/Olympus'"),
        (("enable", "crsp_dayly"), "Did you mean crsp_daily?"),
        (
            ("enable", "crsp_daily", "--version", "7"),
            "The schedule of crsp_daily was changed meanwhile: it is at version 1.",
        ),
    ],
)
def test_a_mistake_is_one_clear_error_and_changes_nothing(
    platform: Command, arguments: tuple[str, ...], said: str
) -> None:
    before = _one(platform, "crsp_daily")
    ran = platform("schedule", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert _one(platform, "crsp_daily") == before


def test_an_analyst_sees_schedules_and_lines_of_their_datasets_and_changes_none(platform: Command) -> None:
    assert platform("users", "add", "ansel", "--role", "analyst").code == 0
    token = platform("users", "token", "ansel").out.strip()
    found = platform("schedule", "list", "--json", DATA_PLATFORM_TOKEN=token).json
    assert {each["dataset"] for each in found} == {"crsp", "fama_french"}
    refused = platform("schedule", "enable", "crsp_daily", DATA_PLATFORM_TOKEN=token)
    assert (refused.code, "requires manage:sync_schedule" in refused.err) == (3, True)
    hidden = platform("schedule", "enable", "compustat_annual", DATA_PLATFORM_TOKEN=token)
    assert (hidden.code, "Access to compustat requires" in hidden.err) == (3, True)
    lines = platform("logs", "--json", DATA_PLATFORM_TOKEN=token).json
    assert {line["dataset"] for line in lines} <= {"crsp", "fama_french"}
    assert platform("logs", "-d", "compustat", DATA_PLATFORM_TOKEN=token).code == 3


def test_the_log_of_the_demos_syncs(platform: Command) -> None:
    lines = platform("logs", "--dataset", "crsp", "--limit", "5", "--json").json
    assert len(lines) == 5
    assert {line["dataset"] for line in lines} == {"crsp"}
    assert [line["created_at"] for line in lines] == sorted((line["created_at"] for line in lines), reverse=True)
    shown = platform("logs", "--level", "info", "--limit", "3")
    assert (shown.code, "Log of syncs" in shown.out, "INFO" in shown.out) == (0, True, True)
    none = platform("logs", "--dataset", "fama_french", "--level", "ERROR")
    assert (none.code, none.out) == (0, "")
    assert "no such lines" in none.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--level", "loud"), "'loud' is no level"),
        (("--dataset", "nothing"), "Unknown dataset"),
        (("--limit", "0"), "limit must be from 1"),
    ],
)
def test_what_the_log_can_not_be_asked(platform: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = platform("logs", *arguments)
    assert (ran.code, said in ran.err) == (2, True)


def test_status_shows_the_days_that_are_summed_up(platform: Command, opened: tuple[Path, Records]) -> None:
    before = platform("status", "--days", "7")
    assert (before.code, "No day is summed up yet" in before.err) == (0, True)
    today = dt.datetime.now(dt.UTC).date()
    roll_up(opened[1], User("system:test", Role.ADMIN), today + dt.timedelta(days=1))
    found = platform("status", "--days", "7", "--json").json
    days = {(each["day"], each["dataset"]): each for each in found if each["table_name"] is None}
    assert sum(each["syncs"] for each in days.values()) > 0
    assert sum(each["bytes_published"] for each in days.values()) > 0
    shown = platform("status", "--days", "7").out
    lines = shown.splitlines()
    above = next(number for number, line in enumerate(lines) if "Longest" in line)
    header = [line.split() for line in lines[above : above + 2]]
    # One header over two lines: at this width every column has room, and none of their words is lost.
    below = "Day Dataset Table Syncs Failed Rows MB s s Queries Denied Alerts Settled"
    assert header == [["Median", "Longest"], below.split()]
    assert str(today) in shown or str(today - dt.timedelta(days=1)) in shown
    assert platform("status", "--days", "0").code == 2
