"""Log lines that the database could not take: kept in private files, stored later, each exactly once."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import signal
from pathlib import Path

import pytest

from data_platform.errors import DatabaseUnavailableError
from data_platform.records.connection import Records, connect_records
from data_platform.records.databases import Databases
from data_platform.records.pending_lines import PendingLines, _ours, decoded, encoded
from data_platform.records.pending_loading import catch_up, load_pending
from data_platform_tests.records.waiting import begin, left, line, messages, stored, waiting

_LOAD = """
from data_platform.records.pending_loading import load_pending
with connect_records(databases) as records:
    print("ready", flush=True)
    sys.stdin.readline()
    print(load_pending(home, records).lines)
"""

_LOAD_AND_DIE = (
    """
def die(path, **_):
    os.kill(os.getpid(), signal.SIGKILL)
Path.unlink = die
"""
    + _LOAD
)


@pytest.fixture
def away(databases: Databases, tmp_path: Path) -> Databases:
    """Addresses at which no server is."""
    return dataclasses.replace(
        databases,
        service_url=f"postgresql://nobody@/x?host={tmp_path}",
        owner_url=f"postgresql://nobody@/x?host={tmp_path}",
    )


def test_lines_are_stored_as_they_were_logged_and_their_file_goes(records: Records, tmp_path: Path) -> None:
    lines = [
        line(1),
        line(2, level="ERROR", table_name=None, sync_run_id=None, extra={}),
        line(3, message="half\nway, “quoted” {}", extra={"nested": {"list": [1, 2.5, None, "x"]}}),
    ]
    path = left(tmp_path, lines)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert load_pending(tmp_path, records).lines == 3
    assert waiting(tmp_path) == []
    fields = ("created_at", "dataset", "table_name", "level", "message", "extra", "sync_run_id")
    assert [[getattr(each, name) for name in fields] for each in stored(records)] == [
        [getattr(each, name) for name in fields] for each in lines
    ]
    assert load_pending(tmp_path, records).lines == 0


def test_a_home_without_files_asks_no_database(away: Databases, tmp_path: Path) -> None:
    with connect_records(away, wait_seconds=0.1) as records:
        assert load_pending(tmp_path, records).lines == 0


def test_a_line_is_the_same_after_a_file() -> None:
    for each in (line(1), line(2, table_name=None, sync_run_id=None), line(3, extra={"a": [True, None, {"b": 0.5}]})):
        assert decoded(encoded(each).rstrip(b"\n")) == each


def test_a_line_that_arrived_after_all_is_not_stored_again(records: Records, tmp_path: Path) -> None:
    lines = [line(number) for number in range(4)]
    left(tmp_path, lines[:2])
    assert load_pending(tmp_path, records).lines == 2
    left(tmp_path, lines)
    assert load_pending(tmp_path, records).lines == 2
    assert messages(records) == [f"line {number}" for number in range(4)]


def test_a_file_that_its_writer_still_has_is_left_alone(records: Records, tmp_path: Path) -> None:
    pending = PendingLines(tmp_path)
    pending.append([line(1)], "a test")
    assert load_pending(tmp_path, records).lines == 0
    pending.append([line(2)], "a test")
    assert pending.close()
    assert not pending.close()
    pending.append([line(3)], "a test")
    assert load_pending(tmp_path, records).lines == 2
    pending.close()
    assert load_pending(tmp_path, records).lines == 1
    assert messages(records) == ["line 1", "line 2", "line 3"]


def test_a_loader_killed_after_storing_costs_and_doubles_nothing(
    records: Records, databases: Databases, tmp_path: Path
) -> None:
    left(tmp_path, [line(number) for number in range(30)])
    child = begin(_LOAD_AND_DIE, tmp_path, databases)
    _, errors = child.communicate("go\n", timeout=60)
    assert child.returncode == -signal.SIGKILL, errors
    assert len(messages(records)) == 30
    assert len(waiting(tmp_path)) == 1
    assert load_pending(tmp_path, records).lines == 0
    assert waiting(tmp_path) == []
    assert messages(records) == [f"line {number}" for number in range(30)]


def test_loaders_at_once_store_each_line_once(records: Records, databases: Databases, tmp_path: Path) -> None:
    for first in range(0, 400, 10):
        left(tmp_path, [line(first + number) for number in range(10)])
    children = [begin(_LOAD, tmp_path, databases) for _ in range(3)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    counts = [int(child.communicate(timeout=60)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sum(counts) == 400
    assert messages(records) == [f"line {number}" for number in range(400)]
    assert waiting(tmp_path) == []


@pytest.mark.parametrize("torn", [b'{"line_id":"', b"\xff\xfe", b"null", b'{"message":"x"}'])
def test_half_a_line_is_kept_aside_and_the_others_are_stored(records: Records, tmp_path: Path, torn: bytes) -> None:
    path = left(tmp_path, [line(1), line(2)])
    with path.open("ab") as file:
        file.write(torn)
    loaded = load_pending(tmp_path, records)
    assert (loaded.lines, loaded.aside) == (2, (path.with_suffix(".aside"),))
    assert loaded.aside[0].read_bytes() == torn + b"\n"
    assert loaded.aside[0].stat().st_mode & 0o777 == 0o600
    assert waiting(tmp_path) == []
    assert load_pending(tmp_path, records).aside == ()


def test_a_line_that_only_lacks_its_end_is_whole(records: Records, tmp_path: Path) -> None:
    path = left(tmp_path, [line(1), line(2)])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert load_pending(tmp_path, records).lines == 2


def test_what_the_table_refuses_is_kept_aside_and_the_others_are_stored(
    records: Records, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refused = line(2, extra={"text": "NUL \0"})
    path = left(tmp_path, [line(1), refused, line(3)])
    catch_up(tmp_path, records)
    assert messages(records) == ["line 1", "line 3"]
    assert decoded(path.with_suffix(".aside").read_bytes().rstrip()) == refused
    assert str(path.with_suffix(".aside")) in caplog.text


def test_without_a_database_lines_wait_and_nothing_else_has_to(
    records: Records, away: Databases, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left(tmp_path, [line(1)])
    with connect_records(away, wait_seconds=0.1) as unreachable:
        with pytest.raises(DatabaseUnavailableError):
            load_pending(tmp_path, unreachable)
        catch_up(tmp_path, unreachable)
    assert "still wait" in caplog.text
    assert len(waiting(tmp_path)) == 1
    catch_up(tmp_path, records)
    assert messages(records) == ["line 1"]


def test_what_no_disk_takes_is_told_and_raises_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    pending = PendingLines(tmp_path)
    pending.append([line(1), line(2)], "the database is away")
    pending.secure()
    assert not pending.close()
    assert "2 log lines of a sync are lost: Not a directory" in caplog.text


def test_lines_after_a_failed_write_go_to_another_file(records: Records, tmp_path: Path) -> None:
    pending = PendingLines(tmp_path)
    pending.append([line(1)], "a test")
    assert pending._descriptor is not None
    # Written to, this descriptor fails as a full disk does.
    with Path("/dev/full").open("wb") as full:
        kept = os.dup(pending._descriptor)
        os.dup2(full.fileno(), pending._descriptor)
        pending.append([line(2)], "a test")
        os.close(kept)
    pending.append([line(3)], "a test")
    pending.close()
    assert load_pending(tmp_path, records).lines == 2
    assert messages(records) == ["line 1", "line 3"]


def test_a_large_file_is_left_to_be_stored(records: Records, tmp_path: Path) -> None:
    pending = PendingLines(tmp_path, rotate_bytes=2_000)
    for number in range(20):
        pending.append([line(number)], "a test")
        pending.secure()
    assert len(waiting(tmp_path)) == 3
    assert max(path.stat().st_size for path in waiting(tmp_path)) < 3_000
    pending.close()
    assert load_pending(tmp_path, records).lines == 20


def test_a_new_file_that_somebody_took_for_an_abandoned_one_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with path.open("wb") as mine:
        with path.open("rb") as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX)
            assert not _ours(mine.fileno())
        path.unlink()
        assert not _ours(mine.fileno())
    with path.open("wb") as another:
        assert _ours(another.fileno())
