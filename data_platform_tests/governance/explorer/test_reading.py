"""What a query may read: failures to find it are audited, damage of a reference stays its own, and files stay put."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from data_platform.errors import ChecksumMismatchError, LockBusyError, RateLimitedError, UsageError
from data_platform.governance.explorer import DataExplorerService, exports, queries, reading
from data_platform.governance.explorer.watching import watch_over
from data_platform.governance.permissions import Role, User
from data_platform.records.connection import Records
from data_platform.warehouse import Warehouse, layout
from data_platform.warehouse.reader import NoDataError
from data_platform_tests.governance.explorer.conftest import World
from data_platform_tests.governance.market import crsp_rows, factor_rows, publish

COUNT = "SELECT count(*) AS n FROM crsp_daily"
Asking = Callable[[DataExplorerService, User], object]


@pytest.fixture
def damaged(world: World, tmp_path: Path) -> DataExplorerService:
    """A service over a warehouse whose reference dataset has a damaged manifest."""
    warehouse = Warehouse(tmp_path / "warehouse")
    publish(warehouse, "crsp", "crsp_daily", "2020", crsp_rows(days=10))
    publish(warehouse, "fama_french", "ff_factors_daily", "all", factor_rows(days=10))
    manifest = warehouse.root / layout.version("ff_factors_daily", 1)
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes().replace(b"ff_factors", b"fx_factors"))
    settings = world.settings.model_copy(update={"reference_datasets": frozenset({"fama_french"})})
    return DataExplorerService(world.records, warehouse, settings, world.engine)


@pytest.mark.parametrize(
    ("name", "ask", "kind"),
    [
        ("pin-query", lambda service, user: service.execute_query(user, "crsp", COUNT, as_of=99), None),
        ("pin-plan", lambda service, user: service.dry_run(user, "crsp", COUNT, as_of=99), "dry_run"),
        ("pin-export", lambda service, user: service.export_data(user, "crsp", COUNT, as_of=99), "export"),
    ],
)
def test_an_attempt_that_finds_nothing_to_read_is_audited_and_counts(
    world: World, name: str, ask: Asking, kind: str | None
) -> None:
    user = world.person(name, Role.OPERATOR)
    with pytest.raises(UsageError, match="99"):
        ask(world.service, user)
    attempt, outcome = world.audited(name)
    assert (attempt.kind, attempt.result, attempt.manifest_versions) == (kind, None, None)
    assert (outcome.attempt_id, outcome.result, outcome.row_count) == (attempt.id, "error", None)
    limited = world.with_settings(queries_per_minute=1, exports_per_hour=1)
    with pytest.raises(RateLimitedError):
        ask(limited, user)
    assert world.holds()


def test_a_preview_of_what_was_never_synced_is_audited(world: World, tmp_path: Path) -> None:
    user = world.person("pin-preview")
    empty = DataExplorerService(world.records, Warehouse(tmp_path / "empty"), world.settings, world.engine)
    with pytest.raises(NoDataError):
        empty.get_dataset_preview(user, "crsp")
    assert [row.result for row in world.audited("pin-preview")] == [None, "error"]


def test_a_damaged_reference_is_left_out_of_other_queries_and_said(
    world: World, damaged: DataExplorerService, caplog: pytest.LogCaptureFixture
) -> None:
    user = world.person("damage")
    with caplog.at_level(logging.WARNING, logger="data_platform.governance.explorer.reading"):
        assert damaged.execute_query(user, "crsp", COUNT).table["n"][0].as_py() == 50
    assert "go without the reference dataset fama_french" in caplog.text
    with pytest.raises(UsageError, match="not found or not permitted") as caught:
        damaged.execute_query(user, "crsp", "SELECT * FROM crsp_daily JOIN ff_factors_daily USING (date)")
    assert "The stored data of fama_french is damaged and left out" in str(caught.value)
    with pytest.raises(UsageError) as wrong:
        damaged.execute_query(user, "crsp", "SELECT FROM")
    assert "damaged" not in str(wrong.value)
    with pytest.raises(ChecksumMismatchError):
        damaged.execute_query(user, "fama_french", "SELECT * FROM ff_factors_daily")
    assert [row.result for row in world.audited("damage")][-2:] == [None, "error"]


def test_files_are_kept_from_being_moved_before_an_old_version_is_looked_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = world.person("sweep")
    found: list[str] = []
    real = reading.pin

    def pin(*given: Any) -> Any:  # noqa: ANN401 - passed on as it is
        try:
            with world.warehouse.sweeping.exclusive(wait_seconds=0):
                found.append("free")
        except LockBusyError:
            found.append("kept")
        return real(*given)

    monkeypatch.setattr(reading, "pin", pin)
    world.service.execute_query(user, "crsp", COUNT, as_of=1)
    world.service.execute_query(user, "crsp", COUNT)
    assert found == ["kept", "free"]


def test_a_query_holds_its_place_until_its_result_is_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    user = world.person("place", Role.OPERATOR)
    held: list[list[str]] = []

    def noting(real: Callable[..., Any]) -> Callable[..., Any]:
        def note(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on as it is
            held.append([query.user for query in world.engine.running()])
            return real(*given, **named)

        return note

    monkeypatch.setattr(queries, "keep", noting(queries.keep))
    monkeypatch.setattr(exports, "write_export", noting(exports.write_export))
    world.service.execute_query(user, "crsp", "SELECT permno FROM crsp_daily", page_size=10)
    world.service.export_data(user, "crsp", "SELECT permno FROM crsp_daily")
    assert held == [["place"], ["place"]]
    assert world.engine.running() == []


def test_a_watch_does_not_keep_its_records_alive(world: World) -> None:
    def watched() -> ref[Records]:
        with Records(world.records.databases, wait_seconds=1) as records:
            assert watch_over(records) is watch_over(records)
            return ref(records)

    gone = watched()
    gc.collect()
    assert gone() is None
