"""The object-store-shaped interface on local files."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from data_platform.errors import DiskSpaceError
from data_platform.warehouse.store import LocalStore, make_folder


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "w")


def test_put_if_absent_creates_once_and_never_overwrites(store: LocalStore) -> None:
    assert store.put_if_absent("a/b/key", b"first")
    assert not store.put_if_absent("a/b/key", b"second")
    assert store.get("a/b/key") == b"first"


def test_exactly_one_of_many_writers_wins(store: LocalStore) -> None:
    wins: list[int] = []
    barrier = threading.Barrier(8)

    def race(number: int) -> None:
        barrier.wait()
        if store.put_if_absent("race", str(number).encode()):
            wins.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wins) == 1
    assert store.get("race") == str(wins[0]).encode()


def test_an_adopted_file_is_read_only_and_listed(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "w" / "staging" / "x.parquet"
    make_folder(source.parent)
    source.write_bytes(b"rows")
    assert store.adopt_if_absent("blobs/aa/x.parquet", source)
    assert store.path("blobs/aa/x.parquet").stat().st_mode & 0o777 == 0o444
    assert list(store.list("blobs/aa")) == ["blobs/aa/x.parquet"]


def test_half_written_temporaries_are_not_objects(store: LocalStore) -> None:
    store.put_if_absent("tables/t/1.json", b"{}")
    (store.path("tables/t") / ".tmp-dead").write_bytes(b"half")
    assert list(store.list("tables/t")) == ["tables/t/1.json"]


def test_delete_and_replace(store: LocalStore) -> None:
    store.replace("hint", b"1")
    store.replace("hint", b"2")
    assert store.get("hint") == b"2"
    store.delete("hint")
    store.delete("hint")
    assert not store.exists("hint")


def test_folders_are_private(store: LocalStore) -> None:
    store.put_if_absent("deep/er/key", b"")
    assert store.path("deep").stat().st_mode & 0o777 == 0o700


def test_a_file_size_limit_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    program = f"""
import resource, signal, sys
from pathlib import Path
from data_platform.errors import DiskSpaceError
from data_platform.warehouse.store import LocalStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))
try:
    LocalStore(Path({str(tmp_path)!r})).put_if_absent("big", b"x" * 5000)
except DiskSpaceError as error:
    sys.exit(0 if "No space left" in error.message else 3)
sys.exit(4)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_other_errors_are_not_taken_for_a_full_disk(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("a file where a folder should be")
    with pytest.raises(OSError) as caught:
        store.put_if_absent("a", b"")
    assert not isinstance(caught.value, DiskSpaceError)
