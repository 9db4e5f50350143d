"""What people see of data quality on the command line: verdicts, alerts, coverage, and what becomes of an anomaly."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_platform.records import acknowledgments, alerts
from data_platform.records.alerts import Alert
from data_platform.records.connection import Records, open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform_tests.cli.conftest import Ran, run_here
from data_platform_tests.folders import short_folder

Command = Callable[..., Ran]
SYSTEM = Scope.system("test")
PNG = b"\x89PNG\r\n\x1a\n"


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


@pytest.fixture
def viewer(platform: Command) -> dict[str, str]:
    """Somebody who may see fama_french and nothing of crsp."""
    platform("users", "add", "vera", "--role", "viewer")
    token = platform("users", "token", "vera", "--json").json["token"]
    return {"DATA_PLATFORM_TOKEN": token}


def raise_alerts(records: Records, *metrics: str) -> list[int]:
    with records.transaction(SYSTEM) as connection:
        return alerts.store(
            connection,
            [Alert("crsp", "crsp_daily", "2023", metric, "warning", f"{metric} was seen") for metric in metrics],
        )


def test_the_verdicts_and_trends_of_a_table(platform: Command) -> None:
    shown = platform("quality", "crsp_daily", "--json").json
    assert {each["validation_type"] for each in shown["validations"]} == {
        *("row_count", "null_pct", "schema", "date_continuity", "contract", "checksum", "anomaly")
    }
    assert {each["status"] for each in shown["validations"]} == {"passed"}
    assert shown["alerts"] == []
    (today,) = shown["trends"]["row_counts"]
    assert (today["versions"], today["partitions"]) == (5, 5)
    assert shown["trends"]["pass_rates"][0]["pass_rate"] == 1.0
    assert shown["trends"]["note"].startswith("The history begins on ")
    printed = platform("quality", "crsp_daily").out
    assert all(word in printed for word in ("Verdicts on crsp_daily", "checksum", "anomaly", "Trends since", "100.0%"))


def test_a_table_of_which_nothing_is_known_says_how_to_begin(platform: Command) -> None:
    ran = platform("quality", "compustat_quarterly")
    assert (ran.code, ran.out) == (0, "")
    assert "Run a sync to generate quality data: data-platform sync compustat_quarterly --all" in ran.err
    covered = platform("coverage", "compustat_quarterly")
    assert covered.err == "No data available. Start with: data-platform sync compustat_quarterly --all\n"


def test_an_alert_is_listed_settled_once_and_gone(platform: Command, opened: tuple[Path, Records]) -> None:
    (number,) = raise_alerts(opened[1], "level_shift")
    assert [each["id"] for each in platform("alerts", "list", "--json").json] == [number]
    assert "level_shift was seen" in platform("alerts", "list", "--dataset", "crsp", "--severity", "warning").out
    assert "needs a reason" in platform("alerts", "ack", str(number), "--reason", " ").err
    assert platform("alerts", "ack", str(number), "--reason", "the vendor restated it").code == 0
    again = platform("alerts", "ack", str(number), "--reason", "me too")
    assert again.code == 0
    assert f"Alert {number} was settled by" in again.err
    assert "the vendor restated it" in again.err
    assert platform("alerts", "list").err == "There are no open alerts.\n"
    assert [each["id"] for each in platform("alerts", "list", "--state", "acknowledged", "--json").json] == [number]


def test_more_than_a_hundred_alerts_are_counted_by_metric(platform: Command, opened: tuple[Path, Records]) -> None:
    numbers = raise_alerts(opened[1], *["null_spike"] * 90, *[f"metric_{n}" for n in range(12)])
    listed = platform("alerts", "list")
    assert "null_spike" in listed.out
    assert "These are more than 100 alerts. 3 more metrics are left off." in listed.err
    assert platform("alerts", "list", "--json").json[0] | {"newest": ""} == {
        "metric": "null_spike",
        "severity": "warning",
        "alerts": 90,
        "tables": 1,
        "newest": "",
    }
    assert len(platform("alerts", "list", "--all", "--json").json) == len(numbers)
    with opened[1].transaction(SYSTEM) as connection:
        for number in numbers:
            acknowledgments.acknowledge(connection, number, "system:test", "tried")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("alerts", "ack", "99999999", "--reason", "x"), 2, "There is no alert 99999999"),
        (("alerts", "list", "--severity", "dreadful"), 2, "'dreadful' is no severity"),
        (("alerts", "list", "--dataset", "nothing"), 2, "nothing"),
        (("quality", "nothing"), 2, "nothing"),
        (("quality", "crsp_daily", "--days", "0"), 2, "days must be"),
        (("coverage", "--refresh"), 2, "for one table"),
        (("coverage", "compustat_companies", "--chart", "none.png"), 2, "nothing to draw"),
        (("coverage", "compustat_quarterly", "--refresh"), 2, "was never synced"),
        (("coverage", "crsp_daily", "--chart", ""), 2, "The path is empty."),
        (("coverage", "crsp_daily", "--chart", "/nowhere/c.png"), 2, "The chart can't be written to /nowhere/c.png"),
    ],
)
def test_what_makes_no_sense_is_one_clear_error(
    platform: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = platform(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_coverage_of_every_table_of_one_and_as_a_picture(platform: Command, tmp_path: Path) -> None:
    tables = {each["table_name"] for each in platform("coverage", "--json").json}
    assert {"crsp_daily", "ff_factors_daily", "compustat_annual"} <= tables
    parts = platform("coverage", "crsp_daily", "--json").json
    assert [each["missing_dates"] for each in parts] == [0] * 5
    assert "crsp_daily" in platform("coverage").out
    drawn = platform("coverage", "crsp_daily", "--chart", str(tmp_path / "c.png"), "--refresh", "--json")
    assert [each | {"manifest_version": 5} for each in parts] == drawn.json
    assert (tmp_path / "c.png").read_bytes().startswith(PNG)


def test_others_see_nothing_of_a_dataset_that_is_not_theirs(
    platform: Command, opened: tuple[Path, Records], viewer: dict[str, str]
) -> None:
    (number,) = raise_alerts(opened[1], "sign_flip")
    denied = "Access to crsp requires dataset:crsp"
    for arguments in (
        ("quality", "crsp_daily"),
        ("coverage", "crsp_daily"),
        ("alerts", "list", "--dataset", "crsp"),
    ):
        ran = platform(*arguments, **viewer)
        assert (ran.code, ran.out) == (3, "")
        assert denied in ran.err
    assert {each["dataset"] for each in platform("coverage", "--json", **viewer).json} == {"fama_french"}
    assert number not in [each["id"] for each in platform("alerts", "list", "--json", **viewer).json]
    assert platform("alerts", "ack", str(number), "--reason", "x", **viewer).code == 3
    assert platform("coverage", "ff_factors_daily", "--refresh", **viewer).code == 3
