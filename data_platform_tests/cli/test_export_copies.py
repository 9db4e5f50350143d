"""An export on its way to where its user wants it: whole, or not at all."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_platform.cli.export import copy_whole
from data_platform.errors import UsageError


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file may grow beyond 1,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_copy_is_its_users_alone(tmp_path: Path) -> None:
    source, place = tmp_path / "source.csv", tmp_path / "place.csv"
    source.write_bytes(b"x" * 2_000)
    copy_whole(source, place)
    assert place.read_bytes() == source.read_bytes()
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("small_files")
def test_of_a_copy_that_fails_nothing_stays(tmp_path: Path) -> None:
    source, place = Path("/proc/self/smaps"), tmp_path / "place.csv"
    with pytest.raises(UsageError, match=r"can't be written to .*place\.csv: File too large") as caught:
        copy_whole(source, place)
    assert caught.value.hint == "Name another file."
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    source, place = tmp_path / "source.csv", tmp_path / "place.csv"
    source.write_text("new")
    place.write_text("old")
    with pytest.raises(UsageError, match="File exists"):
        copy_whole(source, place)
    assert place.read_text() == "old"
