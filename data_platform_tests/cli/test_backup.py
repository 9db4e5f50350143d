"""`data-platform backup` as a user runs it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from data_platform.records.connection import open_records
from data_platform.settings import Settings
from data_platform.warehouse.backup.keys import parse_keyring
from data_platform_tests.cli.conftest import Ran, run_here
from data_platform_tests.folders import short_folder
from data_platform_tests.warehouse.backups import new_key


@dataclass(frozen=True)
class Place:
    """A folder for backups of the demo's home, with its key and one backup in it."""

    folder: Path
    key: str
    call: Callable[..., Ran]
    first: Ran


@pytest.fixture(scope="module")
def place(demo_home: Path) -> Iterator[Place]:
    folder, key = short_folder(), new_key()

    def call(*arguments: str, **variables: str) -> Ran:
        own = {"DATA_PLATFORM_BACKUP_KEY": key, "DATA_PLATFORM_BACKUP_URL": f"file://{folder}/place"}
        return run_here(demo_home, "backup", *arguments, **{**own, **variables})

    with open_records(Settings(home=demo_home)):  # so that no command has to start the server
        yield Place(folder, key, call, call("run"))
    shutil.rmtree(folder, ignore_errors=True)


def test_a_backup_is_made_listed_and_nothing_travels_twice(place: Place) -> None:
    assert place.first.code == 0, place.first.err
    assert "daily" in place.first.out
    weekly = place.call("run", "--kind", "weekly", "--json")
    assert weekly.code == 0
    assert weekly.json["sent_files"] <= 2  # the dumps
    assert weekly.json["findings"] == []
    listed = place.call("list", "--json").json
    assert [item["kind"] for item in listed] == ["daily", "weekly"]
    assert listed[1]["id"] == weekly.json["set_id"]
    assert {item["key"] for item in listed} == {parse_keyring(place.key).newest.name}
    for ran in (place.first, weekly):
        assert place.key not in ran.out + ran.err


def test_a_restored_home_answers_as_the_lost_one_did(place: Place, demo_home: Path) -> None:
    into = place.folder / "new"
    restored = place.call("restore", "--into", str(into))
    assert restored.code == 0, restored.err
    assert restored.out.strip() == str(into)
    question = ("query", "--dataset", "crsp", "--format", "csv", "SELECT count(*), max(date) FROM crsp_daily")
    before, after = (run_here(home, *question, DATA_PLATFORM_QUERIES_PER_MINUTE="1000") for home in (demo_home, into))
    assert after.code == 0, after.err
    assert after.out == before.out
    assert run_here(into, "verify").code == 0


def test_a_drill_prints_what_it_measured_and_fails_when_the_backup_is_too_old(place: Place) -> None:
    ran = place.call("drill", "--max-age-hours", "0")
    assert ran.code == 1
    assert "Failed: the newest backup is 0.0 hours old" in ran.err
    assert "passed" not in ran.err
    assert "crsp_daily" in ran.out
    assert "Restoring it" in ran.out


@pytest.mark.parametrize("option", ["--max-age-hours", "--max-restore-hours"])
@pytest.mark.parametrize("hours", ["inf", "1e300", "-1"])
def test_hours_that_no_clock_counts_are_a_usage_error(place: Place, option: str, hours: str) -> None:
    ran = place.call("drill", option, hours)
    assert (ran.code, f"Invalid value for '{option}'" in ran.err) == (2, True), ran.err


def test_rotating_says_which_key_is_not_needed_any_more(place: Place, demo_home: Path) -> None:
    shutil.copytree(place.folder / "place", place.folder / "copy")
    made = run_here(demo_home, "backup", "new-key", "--json").json
    url = f"file://{place.folder}/copy"
    both = f"{made['identity']},{place.key}"
    rotated = place.call("rotate", DATA_PLATFORM_BACKUP_KEY=both, DATA_PLATFORM_BACKUP_URL=url)
    assert rotated.code == 0, rotated.err
    assert f"{parse_keyring(place.key).newest.name} is not needed any more" in rotated.err
    listed = place.call("list", "--json", DATA_PLATFORM_BACKUP_KEY=made["identity"], DATA_PLATFORM_BACKUP_URL=url)
    assert {item["key"] for item in listed.json} == {made["key"]}
    assert made["identity"] not in rotated.err + rotated.out


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "said"),
    [
        (("run",), {"DATA_PLATFORM_BACKUP_KEY": ""}, 2, "backup new-key"),
        (("run",), {"DATA_PLATFORM_BACKUP_KEY": "hidden"}, 2, "DATA_PLATFORM_BACKUP_KEY: key 1 of 1"),
        (("list",), {"DATA_PLATFORM_BACKUP_KEY": "other"}, 2, "made with another key"),
        (("run",), {"DATA_PLATFORM_BACKUP_URL": "s3://me:hidden@bucket/x"}, 2, "library is not installed"),
        (("list",), {"DATA_PLATFORM_BACKUP_URL": "nope://x"}, 2, "DATA_PLATFORM_BACKUP_URL is no URL"),
        (("run",), {"DATA_PLATFORM_BACKUP_URL": "ftp://me:hidden@127.0.0.1:1/x"}, 1, "can't be used"),
        (("restore", "nonsense", "--into", "x"), {}, 2, "There is no backup 'nonsense'"),
        (("restore", "--into", "/usr"), {}, 2, "not an empty folder"),
        (("restore", "--into", ""), {}, 2, "The path is empty."),
        (("restore", "", "--into", "x"), {}, 2, "There is no backup ''"),
        (("list",), {"DATA_PLATFORM_TOKEN": "viewer"}, 3, "requires the role admin"),
    ],
)
def test_a_mistake_is_one_clear_error(
    place: Place, demo_home: Path, arguments: tuple[str, ...], variables: dict[str, str], code: int, said: str
) -> None:
    if variables.get("DATA_PLATFORM_BACKUP_KEY") == "other":
        variables = {"DATA_PLATFORM_BACKUP_KEY": new_key()}
    if "DATA_PLATFORM_TOKEN" in variables:
        user = f"viewer{os.getpid()}"
        assert run_here(demo_home, "users", "add", user, "--role", "viewer").code == 0
        variables = {"DATA_PLATFORM_TOKEN": run_here(demo_home, "users", "token", user, "--json").json["token"]}
    ran = place.call(*arguments, **variables)
    assert ran.code == code, ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert "hidden" not in ran.err + ran.out
