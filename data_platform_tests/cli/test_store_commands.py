"""Tags, pins, rollback, time travel, repair and quarantine as people use them, in a home of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_platform.records import platform_audit
from data_platform.records.connection import Records, open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse, layout
from data_platform_tests.cli.conftest import Ran, run_here
from data_platform_tests.folders import short_folder
from data_platform_tests.warehouse.damage import flip_a_bit

Store = Callable[..., Ran]
FAMA_FRENCH = {"ff_factors_daily": 1, "ff_factors_monthly": 1, "ff_industries_10_monthly": 1}
OTHERS = {"crsp_names": 1, "compustat_annual": 5, **FAMA_FRENCH}
"""The versions of what the demo syncs besides crsp_daily."""


@pytest.fixture(scope="module")
def opened(demo_home: Path) -> Iterator[tuple[Path, Records]]:
    """A copy of the demo whose server runs throughout, so that no command has to start it."""
    root = short_folder()
    shutil.copytree(demo_home, root / "h", symlinks=True)
    with open_records(Settings(home=root / "h")) as records:
        assert run_here(root / "h", "sync", "ff_industries_10_monthly").code == 0
        yield root / "h", records
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def copied(opened: tuple[Path, Records]) -> Path:
    return opened[0]


@pytest.fixture
def store(copied: Path) -> Store:
    return lambda *arguments, **variables: run_here(
        copied, *arguments, **{"DATA_PLATFORM_QUERIES_PER_MINUTE": "1000", **variables}
    )


@pytest.fixture
def warehouse(copied: Path) -> Warehouse:
    return Warehouse(Settings(home=copied).warehouse_root)


def test_query_of_industries_by_month_beside_the_factors(store: Store) -> None:
    sql = (
        "SELECT weighting, count(DISTINCT industry) AS industries, count(*) AS months, min(n_firms) > 0 AS firms "
        "FROM ff_industries_10_monthly JOIN ff_factors_monthly USING (date) GROUP BY ALL ORDER BY weighting"
    )
    assert store("query", "-d", "fama_french", sql, "--json").json == [
        {"weighting": "ew", "industries": 10, "months": 600, "firms": True},
        {"weighting": "vw", "industries": 10, "months": 600, "firms": True},
    ]


def test_a_tagged_version_is_read_after_a_rollback(store: Store) -> None:
    assert store("snapshot", "create", "before", "--description", "all five years").code == 0
    again = store("snapshot", "create", "before")
    assert (again.code, "already" in again.err) == (2, True)
    assert store("snapshot", "show", "before", "--json").json["versions"] == {"crsp_daily": 5, **OTHERS}
    back = store("rollback", "crsp_daily", "--to", "2", "--reason", "bad load", "--json")
    assert (back.code, back.json["manifest_version"], back.json["changed_partitions"]) == (
        0,
        6,
        ["2022", "2023", "2024"],
    )
    covered = {each["partition"]: each["manifest_version"] for each in store("coverage", "crsp_daily", "--json").json}
    assert covered.keys() == {"2020", "2021"}
    sql = "SELECT count(DISTINCT year(date)) AS years FROM crsp_daily"
    years = {as_of: store("query", "-d", "crsp", sql, "--as-of", as_of, "--json").json for as_of in ("before", "6")}
    assert years == {"before": [{"years": 5}], "6": [{"years": 2}]}
    store("snapshot", "create", "after")
    differing = {
        each["table"]: each["partitions"] for each in store("snapshot", "diff", "before", "after", "--json").json
    }
    assert differing == {"crsp_daily": ["2022", "2023", "2024"], **{name: [] for name in OTHERS}}
    assert [tag["name"] for tag in store("snapshot", "list", "--json").json] == ["before", "after"]
    assert store("snapshot", "drop", "after", "--reason", "not needed").code == 0
    assert store("snapshot", "show", "after").code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "-d", "crsp", "SELECT 1", "--as-of", "2019-01-01"), " was published by"),
        (("query", "-d", "crsp", "SELECT 1", "--as-of", "no-such-tag"), "There is no snapshot or pin no-such-tag"),
        (("query", "-d", "crsp", "SELECT 1", "--as-of", "2024-02-30"), "neither a version nor a date"),
        (("snapshot", "create", "2024-01-01"), "is no name for a snapshot"),
        (("snapshot", "create", "x", "--table", "nope"), "nope"),
        (("pin", "create", "bt", "crsp_daily=99"), "no version 99"),
        (("pin", "create", "bt", "crsp_daily=1", "crsp_daily=2"), "crsp_daily is given twice."),
        (("pin", "create", "bt", "crsp_daily="), "'' names no version."),
        (("verify", ""), "Unknown table ''."),
        (("verify", "", "--repair"), "Unknown table ''."),
        (("rollback", "crsp_daily", "--to", "99"), "no version 99"),
        (("quarantine", "restore", "nope"), "No quarantine entry"),
        (("quarantine", "list", ""), "Unknown table ''."),
    ],
)
def test_bad_input_is_one_clear_error(store: Store, arguments: tuple[str, ...], message: str) -> None:
    ran = store(*arguments)
    assert (ran.code, message in ran.err, "Traceback" in ran.err) == (2, True, False), ran.err


def test_a_backtest_pins_what_it_used(store: Store) -> None:
    made = store("pin", "create", "bt-1", "crsp_daily=3", "ff_factors_daily", "--json")
    assert made.json["versions"] == {"crsp_daily": 3, "ff_factors_daily": 1}
    assert [pin["name"] for pin in store("pin", "list", "--json").json] == ["bt-1"]
    assert store("pin", "drop", "bt-1").code == 0
    assert store("pin", "list", "--json").json == []


def test_names_show_only_what_the_reader_may_see(store: Store) -> None:
    store("users", "add", "vic", "--role", "viewer")
    token = store("users", "token", "vic", "--json").json["token"]
    shown = store("snapshot", "show", "before", "--json", DATA_PLATFORM_TOKEN=token).json
    assert shown["versions"] == FAMA_FRENCH
    for arguments in (
        ("snapshot", "create", "mine"),
        ("snapshot", "drop", "before"),
        ("pin", "create", "bt-2", "crsp_daily"),
        ("rollback", "crsp_daily"),
        ("verify", "--repair"),
        ("quarantine", "clean"),
    ):
        assert store(*arguments, DATA_PLATFORM_TOKEN=token).code == 3, arguments


def test_damage_is_named_marked_shown_and_mended_by_a_sync(store: Store, warehouse: Warehouse) -> None:
    manifest = warehouse.manifests("crsp_daily").load(5)
    entry = manifest.file("2020")
    assert entry is not None
    flip_a_bit(warehouse.store.path(layout.blob(entry.sha256)))
    damaged = store("query", "-d", "crsp", "--as-of", "before", "SELECT count(*) FROM crsp_daily")
    assert (damaged.code, "partition 2020: the stored file is damaged" in damaged.err) == (6, True)
    named = store("verify", "crsp_daily")
    assert (named.code, "tags before" in named.err) == (1, True)
    assert [item["outcome"] for item in store("verify", "crsp_daily", "--repair", "--json").json] == ["marked"]
    assert "Fetch it again: data-platform sync crsp_daily --partition 2020 --full" in store("status").err
    assert store("sync", "crsp_daily", "--partition", "2020").code == 0
    assert store("verify", "--json").code == 0
    assert "Fetch it again" not in store("status").err


def test_what_was_done_stands_in_the_audit(opened: tuple[Path, Records]) -> None:
    with opened[1].transaction(Scope.system("test")) as connection:
        entries = platform_audit.recent(connection, limit=1000)
    done = {(entry.action, entry.subject, entry.reason) for entry in entries}
    assert {
        ("table.rollback", "crsp_daily", "bad load"),
        ("snapshot.create", "before", None),
        ("snapshot.drop", "after", "not needed"),
        ("pin.create", "bt-1", None),
        ("pin.drop", "bt-1", None),
    } <= done
