"""Files that hold secrets."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_platform.records.private_files import create_private, private_folder, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_written_file_is_private_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    target.write_text("old")
    target.chmod(0o644)
    write_private(target, "new")
    assert (target.read_text(), mode(target)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [target]


def test_only_the_first_creation_counts(tmp_path: Path) -> None:
    target = tmp_path / "secret"
    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(lambda n: create_private(target, f"content {n}"), range(32)))
    assert created.count(True) == 1
    assert target.read_text() == f"content {created.index(True)}"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_and_its_new_parents_are_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "home" / "postgres")
    assert [mode(tmp_path / part) for part in (".", "home", "home/postgres")] == [0o755, 0o700, 0o700]


def test_an_open_folder_is_narrowed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(0o755)
    private_folder(folder)
    assert mode(folder) == 0o700
