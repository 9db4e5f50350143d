"""The store benchmark in small: real worker processes, real files, and a file system whose power is really cut."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.client import StoreFailedError, Worker
from benchmarks.commits import measure_commits
from benchmarks.frame import FIRST_YEAR, write_inputs
from benchmarks.inputs import content_of, input_file, total_content, year_rows, years_of
from benchmarks.power import KEPT, measure_power_loss
from benchmarks.speed import REPLACEMENTS, SpeedRun
from benchmarks.volumes import FILE_SYSTEMS, NOTHING_FLUSHED, FileSystem, Volume, why_not
from data_platform.warehouse.store import fsync_path

ROWS, YEARS = 9_000, 3


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "inputs"
    write_inputs(folder, ROWS, YEARS)
    return folder


def test_the_frame_has_as_many_rows_as_asked_for_and_is_the_same_each_time(inputs: Path, tmp_path: Path) -> None:
    assert years_of(inputs) == [FIRST_YEAR, FIRST_YEAR + 1, FIRST_YEAR + 2]
    assert [year_rows(inputs, year).num_rows for year in years_of(inputs)] == [ROWS // YEARS] * YEARS
    write_inputs(tmp_path / "again", ROWS, YEARS)
    assert input_file(inputs, FIRST_YEAR).read_bytes() == input_file(tmp_path / "again", FIRST_YEAR).read_bytes()


def test_a_restatement_changes_some_returns_and_nothing_else(inputs: Path) -> None:
    old, new = year_rows(inputs, FIRST_YEAR), year_rows(inputs, FIRST_YEAR, restatement=1)
    assert content_of(old) != content_of(new)
    assert old.drop_columns("ret").equals(new.drop_columns("ret"))


@pytest.mark.parametrize("rows", [100, 2_000, 3_000])
def test_the_smallest_restatement_is_told_apart_exactly_however_the_rows_are_read(inputs: Path, rows: int) -> None:
    years = years_of(inputs)
    parts = [year_rows(inputs, year, rows=rows) for year in years]
    restated = [*parts[:-1], year_rows(inputs, years[-1], rows=rows, restatement=1)]
    before, after = (total_content(content_of(part) for part in tables) for tables in (parts, restated))
    assert before != after
    for tables, content in ((parts, before), (restated, after)):
        assert content_of(pa.concat_tables(tables).sort_by("date")) == content


def test_a_run_measures_every_operation_and_checks_every_answer(inputs: Path, tmp_path: Path) -> None:
    results = SpeedRun(["ours", "files", "plain"], inputs, tmp_path, repeat=1, say=lambda _: None).measure()
    assert results.failures == []
    measured = results.samples.document()
    assert {operation: set(stores) for operation, stores in measured.items()} == {
        "write ten years": {"ours", "plain"},
        "(Arrow to its input)": {"ours", "plain"},
        "replace one year": {"ours", "plain"},
        "read all, latest": {"ours", "files", "plain"},
        "read one year, latest": {"ours", "files", "plain"},
        "read all, as of": {"ours", "files"},
        "read one year, as of": {"ours", "files"},
        "tag": {"ours"},
    }
    assert len(measured["replace one year"]["ours"]) == REPLACEMENTS
    assert results.megabytes["ours"] > results.megabytes["plain"] > 0


def test_a_store_that_answers_wrongly_is_found(inputs: Path, tmp_path: Path) -> None:
    def tamper(message: str) -> None:
        if message.startswith("reading once"):
            with Worker("plain", inputs) as worker:
                worker.call("open", folder=str(tmp_path / "plain-0"))
                worker.call("write", years=[FIRST_YEAR], rows=10)

    results = SpeedRun(["plain"], inputs, tmp_path, repeat=1, say=tamper).measure()
    assert len(results.failures) == 1
    assert "read all, latest" in results.failures[0]
    assert "read all, latest" not in results.samples.document()


def test_commits_are_counted_up_to_the_last(inputs: Path, tmp_path: Path) -> None:
    commits, failures = measure_commits(["ours"], inputs, tmp_path, versions=40, budget=60, say=lambda _: None)
    assert failures == []
    assert commits["ours"].last == 40


@pytest.mark.parametrize("request_", [{"op": "nonsense"}, {"op": "read_all"}])
def test_what_a_store_cannot_do_is_its_failure_and_not_the_benchmarks(inputs: Path, request_: dict[str, str]) -> None:
    with Worker("ours", inputs) as worker, pytest.raises(StoreFailedError, match="ours"):
        worker.call(**request_)


def test_a_store_whose_process_dies_has_failed(inputs: Path) -> None:
    with Worker("plain", inputs) as worker:
        worker.kill()
        with pytest.raises(StoreFailedError, match="plain"):
            worker.call("version")


@pytest.mark.parametrize("file_system", FILE_SYSTEMS)
def test_a_power_cut_takes_what_was_not_flushed_and_leaves_what_was(file_system: FileSystem, tmp_path: Path) -> None:
    reason = why_not(file_system)
    if reason:
        pytest.skip(reason)
    volume = Volume(file_system, tmp_path / "volume")
    try:
        for name in ("flushed", "forgotten"):
            with (volume.mount_point / name).open("wb") as file:
                file.write(b"x" * 1000)
                if name == "flushed":
                    file.flush()
                    os.fsync(file.fileno())
                    fsync_path(volume.mount_point)
        volume.cut_power(NOTHING_FLUSHED)
        volume.unmount()
        volume.mount()
        assert (volume.mount_point / "flushed").read_bytes() == b"x" * 1000
        assert not (volume.mount_point / "forgotten").exists()
    finally:
        volume.remove()


def test_an_acknowledged_commit_of_ours_survives_a_power_cut(inputs: Path, tmp_path: Path) -> None:
    table, skipped = measure_power_loss(["ours"], inputs, tmp_path, trials=1, say=lambda _: None)
    if len(skipped) == len(FILE_SYSTEMS):
        pytest.skip("; ".join(skipped))
    assert {name: dict(stores["ours"]) for name, stores in table.items()} == {name: {KEPT: 1} for name in table}
