"""Comparing, dropping and sweeping old versions as people do it, in a small home of their own."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_platform.records import platform_audit
from data_platform.records.connection import Records, open_records
from data_platform.records.scope import Scope
from data_platform.settings import Settings
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.manifest_form import documents_of
from data_platform_tests.cli.conftest import Ran, run_here
from data_platform_tests.folders import short_folder
from data_platform_tests.warehouse.changing import TABLE, everything, expected, publish_rows, rows, written

Store = Callable[..., Ran]
BLOBS_AND_DELTAS = (layout.BLOBS, layout.DELTAS, layout.TRASH)


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Path, Records]]:
    """A home with four versions of one table, published 200, 150, 100 and 0 days ago; its server runs throughout."""
    root = short_folder()
    home = root / "h"
    with open_records(Settings(home=home)) as records:
        warehouse = Warehouse(Settings(home=home).warehouse_root)
        for seed, days in enumerate((200, 150, 100, 0)):
            published = publish_rows(warehouse, seed)
            earlier = published.model_copy(
                update={"sync_timestamp": published.sync_timestamp - dt.timedelta(days=days)}
            )
            key = layout.version(TABLE, seed + 1)
            warehouse.store.delete(key)
            warehouse.store.put_if_absent(key, documents_of(earlier)[0])
        yield home, records
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def store(opened: tuple[Path, Records]) -> Store:
    return lambda *arguments, **variables: run_here(opened[0], *arguments, **variables)


@pytest.fixture
def warehouse(opened: tuple[Path, Records]) -> Warehouse:
    return Warehouse(Settings(home=opened[0]).warehouse_root)


def _kept(warehouse: Warehouse) -> list[dict[str, tuple[int, int, bytes]]]:
    return [everything(warehouse.root / folder) for folder in BLOBS_AND_DELTAS]


def test_a_dry_run_names_versions_and_reasons_and_changes_nothing(store: Store, warehouse: Warehouse) -> None:
    before = everything(warehouse.root)
    shown = store("retention", "--dry-run")
    assert shown.code == 0, shown.err
    assert "superseded 150 days ago" in shown.out
    assert "the latest version" in shown.out
    planned = store("retention", "--dry-run", "--json").json
    assert [item["version"] for item in planned["verdicts"] if item["expires"]] == [1, 2]
    assert store("gc", "--dry-run", "--json").json["garbage"] == []
    assert everything(warehouse.root) == before


def test_versions_are_compared_and_dropped_and_compare_the_same_afterwards(store: Store, warehouse: Warehouse) -> None:
    before = store("diff", TABLE, "1", "4", "--json").json
    (partition,) = before["partitions"]
    keys = [{(row["permno"], row["date"]) for row in rows(seed).to_pylist()} for seed in (0, 3)]
    assert partition["detail"]["added"] == len(keys[1] - keys[0])
    assert partition["detail"]["removed"] == len(keys[0] - keys[1])
    done = store("retention", "--json").json
    assert (done["versions_expired"], done["files_dropped"]) == (2, 2)
    assert store("diff", TABLE, "1", "4", "--json").json == before
    assert written(warehouse.reader(TABLE).pin(1).files[0]) == expected(0)
    assert "nothing to remove" in store("gc").err


def test_dates_name_versions_too(store: Store) -> None:
    day = (dt.datetime.now(dt.UTC) - dt.timedelta(days=120)).date()
    found = store("diff", TABLE, day.isoformat(), "4", "--json").json
    assert (found["older"], found["newer"]) == (2, 4)
    assert "have the same rows" in store("diff", TABLE, "4", "4").err


def test_values_are_shown_only_on_request(store: Store) -> None:
    counted, shown = store("diff", TABLE, "3", "4"), store("diff", TABLE, "3", "4", "--rows", "1000", "--json").json
    values = {row["new"] for row in shown["rows"] if row["column"] == "ret" and row["new"]}
    assert len(values) > 5
    assert not any(value in counted.out for value in values if len(value) > 5)
    table = store("diff", TABLE, "3", "4", "--rows", "3")
    assert table.code == 0
    assert "Differing rows" in table.out


@pytest.mark.parametrize(
    "arguments",
    [("diff", TABLE, "1", "99"), ("diff", TABLE, "1", "4", "--rows", "1001"), ("diff", "nothing", "1", "2")],
)
def test_bad_input_is_one_clear_error(store: Store, arguments: tuple[str, ...]) -> None:
    ran = store(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert "Traceback" not in ran.err


def test_each_command_asks_for_its_permission(store: Store, warehouse: Warehouse) -> None:
    tokens = {}
    for name, role in (("vera", "viewer"), ("anna", "analyst"), ("otto", "operator")):
        store("users", "add", name, "--role", role)
        tokens[name] = store("users", "token", name, "--json").json["token"]
    store("users", "grant", "vera", "dataset:crsp")
    before = _kept(warehouse)
    refused = [
        ("otto", ("retention",)),
        ("otto", ("retention", "--dry-run")),
        ("otto", ("gc",)),
        ("otto", ("gc", "--dry-run")),
        ("vera", ("diff", TABLE, "3", "4", "--rows", "1")),
        ("anna", ("diff", "ff_factors_daily", "1", "2", "--rows", "1")),
    ]
    store("users", "revoke", "anna", "dataset:fama_french")
    for name, arguments in refused:
        ran = store(*arguments, DATA_PLATFORM_TOKEN=tokens[name])
        assert (ran.code, ran.out) == (3, ""), (name, arguments, ran.err)
    assert _kept(warehouse) == before
    assert store("diff", TABLE, "3", "4", DATA_PLATFORM_TOKEN=tokens["vera"]).code == 0
    assert store("diff", TABLE, "3", "4", "--rows", "1", DATA_PLATFORM_TOKEN=tokens["anna"]).code == 0


def test_what_was_done_and_seen_stands_in_the_audit(opened: tuple[Path, Records]) -> None:
    with opened[1].transaction(Scope.system("test")) as connection:
        entries = platform_audit.recent(connection, limit=1000)
    applied = next(entry for entry in entries if entry.action == "retention.apply")
    assert applied.new_value is not None
    assert applied.new_value["expired"] == [f"{TABLE} 1", f"{TABLE} 2"]
    assert any(entry.action == "gc.run" for entry in entries)
    seen = [(entry.actor, entry.dataset, entry.subject) for entry in entries if entry.action == "diff.rows"]
    assert ("anna", "crsp", TABLE) in seen
    assert "vera" not in {actor for actor, _, _ in seen}
