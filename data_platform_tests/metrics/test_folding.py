"""The sum over processes that live, that ended and that were killed: nothing is lost, nothing counts twice."""

from __future__ import annotations

import json
import signal
import struct
from pathlib import Path

import pytest

from data_platform.metrics import counting
from data_platform.metrics.files import ProcessFile, series
from data_platform.metrics.folding import MANY, fold_many, read_sums
from data_platform_tests.metrics.figures import figures
from data_platform_tests.metrics.programs import (
    COUNT_AND_SAY,
    KILLED_WHILE_COUNTING,
    KILLED_WHILE_FOLDING,
    run,
    start,
)

VIEWS = ("data_quality_alert_views_total",)
KEY = series("data_quality_alert_views_total", ())


@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "ended"])
def test_what_a_dead_process_counted_stays_and_what_it_was_doing_goes(
    tmp_path: Path, end: signal.Signals | None
) -> None:
    processes = [start(COUNT_AND_SAY, tmp_path, count) for count in (3, 4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
    found = figures(tmp_path)
    assert (found[VIEWS], found[("data_queries_running",)]) == (7, 2)
    if end is not None:
        processes[0].send_signal(end)
    processes[0].communicate(timeout=60)
    found = figures(tmp_path)
    assert (found[VIEWS], found[("data_queries_running",)]) == (7, 1)
    assert len(list((tmp_path / "metrics").glob("*.db"))) == 1
    processes[1].communicate(timeout=60)
    found = figures(tmp_path)
    assert (found[VIEWS], found[("data_queries_running",)]) == (7, 0)
    assert not list((tmp_path / "metrics").glob("*.db"))


def test_whatever_moment_a_folding_process_is_killed_at_the_sum_is_right(tmp_path: Path) -> None:
    said = json.loads(run(KILLED_WHILE_FOLDING, tmp_path))
    assert said["killed"] >= 10
    assert said["files"] == 0


def test_processes_that_are_killed_while_they_count_lose_nothing_that_they_said(tmp_path: Path) -> None:
    said = json.loads(run(KILLED_WHILE_COUNTING, tmp_path, 30))
    # Each may have counted one more than it came to say.
    assert said["said"] <= said["counted"] <= said["said"] + said["killed"]


def test_files_do_not_become_many_though_nobody_reads(tmp_path: Path) -> None:
    for number in range(3 * MANY):
        file = ProcessFile(tmp_path)
        file.add(KEY, 1)
        fold_many(tmp_path)
        file.close()
        assert len(list(tmp_path.glob("*.db"))) <= MANY + 1, number
    assert read_sums(tmp_path)[KEY] == 3 * MANY


def test_a_latest_moment_is_the_latest_of_all(tmp_path: Path) -> None:
    key = series("data_sync_last_success_timestamp_seconds", ("crsp", "crsp_daily"))
    for moment in (100.0, 300.0, 200.0):
        file = ProcessFile(tmp_path)
        file.put(key, moment)
        file.close()
        assert read_sums(tmp_path)[key] >= moment
    assert read_sums(tmp_path)[key] == 300.0


def test_what_is_damaged_is_left_out_and_the_rest_is_read(
    counting_home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = counting_home / "metrics"
    counting.alerts_viewed()
    (folder / "1-empty.db").touch()
    (folder / "1-torn.db").write_bytes(struct.pack("iii", 200, 0, 5_000) + bytes(200))
    assert figures(counting_home)[VIEWS] == 1
    assert "1-torn.db" in caplog.text
    assert "1-empty.db" not in caplog.text
    assert not list(folder.glob("1-*"))
    (folder / "totals.json").write_text('{"values": ')
    assert figures(counting_home)[VIEWS] == 1
    assert len(list(folder.glob("totals.json.damaged-*"))) == 1


def test_a_metric_that_is_declared_no_more_is_forgotten(tmp_path: Path) -> None:
    file = ProcessFile(tmp_path)
    file.add(series("data_of_old_total", ()), 1)
    file.add(KEY, 1)
    file.close()
    assert read_sums(tmp_path) == {KEY: 1.0}


def test_while_another_process_keeps_the_folder_no_figure_is_given_rather_than_a_wrong_one(
    counting_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data_platform.metrics import folding  # noqa: PLC0415 - its private lock is what the test holds

    counting.alerts_viewed()
    monkeypatch.setattr(folding, "_WAIT_SECONDS", 0.05)
    with folding._alone(counting_home / "metrics", 1.0):
        assert figures(counting_home) == {("data_metrics_readable",): 0}
        counting.alerts_viewed()
    assert figures(counting_home)[VIEWS] == 2
